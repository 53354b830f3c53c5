import Diagnostics
import Model
import Tensors

extension DataSection {
  /// The section with the numbers of `standardize: data`: mean and deviation (Σ (x − mean)² / N)^½ of
  /// every channel over all training samples, in the units that `range` gives; of a flat sample every
  /// element is a channel.
  ///
  /// Both are computed in float64 from the samples themselves: of bytes by how often each occurs, of
  /// floats in two passes.
  /// - Throws: `data-format` for a channel that is the same number everywhere, which has nothing to
  ///   divide by.
  public func measured(on train: Samples) throws(DiagnosticError) -> DataSection {
    guard standardizesByData, standardize == nil else { return self }
    let channels = train.shape.first ?? 1
    let statistics = ChannelStatistics(train, channels: channels, range: range)
    let flat = statistics.deviations.indices.filter { !(statistics.deviations[$0] > 0) }
    if let first = flat.first {
      throw DiagnosticError(constant(first, of: channels, count: flat.count, statistics, at: span))
    }
    var result = self
    result.standardize = (statistics.means, statistics.deviations)
    return result
  }
}

private struct ChannelStatistics {
  var means: [Double]
  var deviations: [Double]

  init(_ samples: Samples, channels: Int, range: ClosedRange<Double>?) {
    let size = samples.shape.dropFirst().reduce(1, *)
    means = []
    deviations = []
    switch samples.storage {
    case .bytes(let bytes):
      let range = range ?? 0...255
      let width = range.upperBound - range.lowerBound
      var counts = [Int](repeating: 0, count: 256 * channels)
      bytes.withUnsafeBufferPointer { bytes in
        counts.withUnsafeMutableBufferPointer { counts in
          var place = 0
          for _ in 0..<samples.count {
            for channel in 0..<channels {
              for _ in 0..<size {
                counts[256 * channel + Int(bytes[place])] += 1
                place += 1
              }
            }
          }
        }
      }
      for channel in 0..<channels {
        let own = counts[256 * channel..<256 * (channel + 1)]
        let values = own.enumerated().filter { $0.element > 0 }.map {
          (value: range.lowerBound + Double($0.offset) * width / 255, count: Double($0.element))
        }
        let count = values.reduce(0) { $0 + $1.count }
        let mean = values.reduce(0) { $0 + $1.value * $1.count } / count
        let square = values.reduce(0) { $0 + ($1.value - mean) * ($1.value - mean) * $1.count }
        append(mean, values.count == 1 ? 0 : (square / count).squareRoot())
      }
    case .floats(let floats):
      let step = channels * size
      for channel in 0..<channels {
        func sum(_ part: (Double) -> Double) -> Double {
          var total = 0.0
          for sample in 0..<samples.count {
            let first = sample * step + channel * size
            for place in first..<first + size { total += part(Double(floats[place])) }
          }
          return total
        }
        let count = Double(samples.count * size)
        let first = Double(floats[channel * size])
        // Around one of the numbers: their own size would take the last digits of the sum.
        let mean = first + sum { $0 - first } / count
        let square = sum { ($0 - mean) * ($0 - mean) }
        append(mean, sum { abs($0 - first) } == 0 ? 0 : (square / count).squareRoot())
      }
    }
  }

  private mutating func append(_ mean: Double, _ deviation: Double) {
    means.append(mean)
    deviations.append(deviation)
  }
}

// MARK: messages

private func constant(
  _ channel: Int, of channels: Int, count: Int, _ statistics: ChannelStatistics, at span: Span
) -> Diagnostic {
  let which = channels == 1 ? "every number of the samples" : "channel \(channel) of every sample"
  let more = count == 1 ? "" : ", and \(count - 1) more of the \(channels) are constant"
  return Diagnostic(
    .dataFormat,
    "`standardize: data` has nothing to divide by: \(which) is "
      + "\(number(statistics.means[channel]))\(more)",
    at: span,
    help: channels == 1
      ? "leave `standardize` out"
      : "leave constant channels out of the data, or write `standardize: {mean: …, deviation: …}` "
        + "with a deviation for them")
}
