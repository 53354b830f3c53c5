import Diagnostics
import Model
import Tensors

/// The map from a data file's units to the model's input: `data.range`, then `data.standardize`.
///
/// x = lower + (upper − lower)·b/255 for a byte b, then (x − mean)/deviation per channel, in
/// float64 and rounded once to float32. A sample [C, H, W] or [C, L] has C channels, a sample [F]
/// has F.
public struct InputScaling: Sendable {
  /// Elements that share a channel and follow each other.
  private let channelSize: Int
  private let channels: Int
  /// For bytes: the 256 results, channel after channel (once, if all channels are alike).
  private let table: [Float]
  private let isUniform: Bool
  /// For floats: x ↦ (x − mean)/deviation.
  private let standardize: (mean: [Double], deviation: [Double])?
  /// What a file's 0 becomes, channel after channel.
  let zeros: [Float]

  public init(_ section: DataSection, samples: Samples) throws(DiagnosticError) {
    let channels = samples.shape.first ?? 1
    self.channels = channels
    channelSize = samples.shape.dropFirst().reduce(1, *)
    if let (mean, deviation) = section.standardize {
      for count in [mean.count, deviation.count] where count != 1 && count != channels {
        throw DiagnosticError(channelCount(count, channels, at: section.span))
      }
      standardize = (
        mean.count == 1 ? .init(repeating: mean[0], count: channels) : mean,
        deviation.count == 1 ? .init(repeating: deviation[0], count: channels) : deviation
      )
      isUniform = mean.count == 1 && deviation.count == 1
    } else {
      standardize = nil
      isUniform = true
    }
    switch samples.storage {
    case .bytes:
      let range = section.range ?? 0...255
      let standardize = standardize
      table = (0..<(isUniform ? 1 : channels)).flatMap { channel in
        (0..<256).map { byte in
          // Ranges from 0 give b/255 exactly as every other program computes it.
          let width = range.upperBound - range.lowerBound
          let raw = range.lowerBound + Double(byte) * width / 255
          guard let (mean, deviation) = standardize else { return Float(raw) }
          return Float((raw - mean[channel]) / deviation[channel])
        }
      }
      let (table, isUniform) = (table, isUniform)
      zeros = (0..<channels).map { table[isUniform ? 0 : 256 * $0] }
    case .floats:
      guard section.range == nil else { throw DiagnosticError(rangeOfFloats(at: section.span)) }
      table = []
      let standardize = standardize
      zeros = (0..<channels).map { channel in
        standardize.map { Float(-$0.mean[channel] / $0.deviation[channel]) } ?? 0
      }
    }
  }

  /// The scaled samples `indices`, each as the model reads it.
  public func scaled(_ samples: Samples, at indices: Range<Int>) -> [[Float]] {
    let size = channels * channelSize
    return indices.map { index in
      [Float](unsafeUninitializedCapacity: size) { buffer, count in
        fill(buffer.baseAddress!, with: samples, at: [index])
        count = size
      }
    }
  }

  /// All samples as the model reads them, one after the other.
  func rows(of samples: Samples) -> [Float] {
    let size = samples.count * channels * channelSize
    return [Float](unsafeUninitializedCapacity: size) { buffer, count in
      fill(buffer.baseAddress!, with: samples, at: 0..<samples.count)
      count = size
    }
  }

  /// The scaled samples `indices` one after the other; each takes `shape` elements.
  func fill(
    _ target: UnsafeMutablePointer<Float>, with samples: Samples, at indices: some Sequence<Int>
  ) {
    let size = channels * channelSize
    var target = target
    switch samples.storage {
    case .bytes(let bytes):
      bytes.withUnsafeBufferPointer { bytes in
        table.withUnsafeBufferPointer { table in
          for index in indices {
            scale(bytes.baseAddress! + index * size, table.baseAddress!, into: target)
            target += size
          }
        }
      }
    case .floats(let floats):
      floats.withUnsafeBufferPointer { floats in
        for index in indices {
          scale(floats.baseAddress! + index * size, into: target)
          target += size
        }
      }
    }
  }

  private func scale(
    _ source: UnsafePointer<UInt8>, _ table: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>
  ) {
    if isUniform {
      for element in 0..<channels * channelSize { target[element] = table[Int(source[element])] }
      return
    }
    for channel in 0..<channels {
      let table = table + 256 * channel
      let start = channel * channelSize
      for element in start..<start + channelSize { target[element] = table[Int(source[element])] }
    }
  }

  private func scale(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
    guard let (mean, deviation) = standardize else {
      target.update(from: source, count: channels * channelSize)
      return
    }
    for channel in 0..<channels {
      let start = channel * channelSize
      for element in start..<start + channelSize {
        target[element] = Float((Double(source[element]) - mean[channel]) / deviation[channel])
      }
    }
  }
}

// MARK: messages

private func channelCount(_ count: Int, _ channels: Int, at span: Span) -> Diagnostic {
  Diagnostic(
    .dataShape, "`standardize` has \(count) numbers, the samples have \(channels) channels",
    at: span, help: "write one number, or one for each channel")
}

private func rangeOfFloats(at span: Span) -> Diagnostic {
  Diagnostic(
    .dataFormat, "`range` maps bytes, but these samples are numbers of no fixed range", at: span,
    help: "leave `range` out; `standardize` works on any numbers")
}
