import COpenBLAS
import Glibc
import Rounding

/// A check of ‖T‖₂ ≤ bound for one group of a convolution as the operator that it is, borders and
/// padding included: T·Tᵀ or Tᵀ·T, whichever is cheaper, is banded when positions are ordered row
/// by row (or column by column) and channels within a position.
///
/// With Ĝ the computed product, e ≥ ‖Ĝ − G‖₂ and M = fl(tI − Ĝ), a Cholesky factorisation of M that
/// runs to completion with finite entries and positive pivots has M = LLᵀ + D with
/// ‖D‖ ≤ (w + 5)u·min((2w + 1)·max Mᵢᵢ, tr M), w the bandwidth: each entry is a sum of at most w
/// products, divided once (Rump 2006, one rounding more for a reciprocal). So
///
///     ‖T‖² ≤ t + e + u·max Mᵢᵢ + (w + 5)u·min((2w + 1)·max Mᵢᵢ, tr M).
///
/// Multiplying L out again would cost as much as the factorisation and prove no more here.
struct BandedCheck {
  let weight: [Double]
  let outputs: Int
  let inputs: Int
  let axes: [AxisReads]

  /// One way to order the matrix.
  private struct Layout {
    let ofOutputs: Bool
    /// Which axis varies slowest.
    let outer: Int
    let channels: Int
    let extents: [Int]
    /// [outer, inner][node][distance]
    let meetings: [[[[(Int, Int)]]]]
    var reach: [Int] { meetings.map { $0[0].count - 1 } }
    var nodeReach: Int { reach[0] * extents[1] + reach[1] }
    var bandwidth: Int { (nodeReach + 1) * channels - 1 }
    var order: Int { extents[0] * extents[1] * channels }
    var cost: Double {
      Double(order) * Double(bandwidth + 1) * Double(min(bandwidth + 1, order))
    }
  }

  private var cheapest: Layout {
    var layouts: [Layout] = []
    for ofOutputs in [true, false] {
      let meetings = axes.map { $0.meetings(ofOutputs: ofOutputs) }
      for outer in 0...1 {
        layouts.append(
          Layout(
            ofOutputs: ofOutputs, outer: outer, channels: ofOutputs ? outputs : inputs,
            extents: [outer, 1 - outer].map { meetings[$0].count },
            meetings: [meetings[outer], meetings[1 - outer]]))
      }
    }
    return layouts.min { $0.cost < $1.cost }!
  }

  /// nil where the matrix would be too large.
  func proves(_ bound: Double) throws(VerificationError) -> Bool {
    let layout = cheapest
    guard layout.cost < 4e12, layout.order < 1 << 30 else {
      throw .refused("the operator is too large for the evidence `banded`")
    }
    let (products, error) = taps(layout)
    let limit = Directed.productDown(bound, bound)
    let (w, n) = (Double(layout.bandwidth), Double(layout.order))
    // Every Mᵢᵢ is at most t.
    let perUnit = ((w + 5) * min(2 * w + 1, n) + 2) * Arithmetic.u
    let t = limit * (1 - perUnit * (1 + 0x1p-10)) - error * (1 + 0x1p-10)
    guard t > 0, let diagonal = factorise(layout, products, t) else { return false }
    let lost = (w + 5) * min((2 * w + 1) * diagonal.largest, diagonal.sum * Arithmetic.slack)
    return Directed.sumUp(
      t, (error + Arithmetic.u * (lost + diagonal.largest)) * Arithmetic.slack) <= limit
  }

  /// The products of two taps' matrices, [(tap, channel), (tap, channel)] column-major, and e.
  private func taps(_ layout: Layout) -> (products: [Double], error: Double) {
    let count = axes[0].axis.kernel * axes[1].axis.kernel
    let (channels, inner) = (layout.channels, layout.ofOutputs ? inputs : outputs)
    let size = count * channels
    // [inner, (tap, channel)]
    var factors = [Double](repeating: 0, count: inner * size)
    var rowSums = [Double](repeating: 0, count: outputs)
    var columnSums = [Double](repeating: 0, count: inputs)
    for output in 0..<outputs {
      for input in 0..<inputs {
        for tap in 0..<count {
          let value = weight[(output * inputs + input) * count + tap]
          let (channel, other) = layout.ofOutputs ? (output, input) : (input, output)
          factors[(tap * channels + channel) * inner + other] = value
          rowSums[output] += value.magnitude
          columnSums[input] += value.magnitude
        }
      }
    }
    let products = product(factors, size, factors, inner, size, transposingFirst: true)
    var meetings = 1
    for axis in layout.meetings {
      meetings *= axis.joined().map(\.count).max() ?? 1
    }
    // ‖|T|·|T|ᵀ‖ ≤ l₁·l∞ with absolute taps; an element is read at most `copies` times by a tap.
    let copies = axes[0].copies * axes[1].copies
    let norms = (rowSums.max() ?? 0) * (columnSums.max() ?? 0) * Double(copies)
    let length = Double(inner + meetings + 4)
    return (
      products, length * Arithmetic.u * norms * (1 + Double(count * max(outputs, inputs)) * 0x1p-50)
        * Arithmetic.slack
    )
  }

  /// Σ and max of M's diagonal where tI − Ĝ could be factorised.
  private func factorise(
    _ layout: Layout, _ products: [Double], _ t: Double
  ) -> (sum: Double, largest: Double)? {
    let channels = layout.channels
    let nodes = layout.extents[0] * layout.extents[1]
    let panelNodes = min(nodes, max(1, 96 / channels))
    let windowNodes = min(nodes, panelNodes + layout.nodeReach)
    // Room to advance along the diagonal before everything is moved back.
    let roomNodes = min(nodes, windowNodes + max(windowNodes / 2, panelNodes))
    let stride = roomNodes * channels
    guard let window = malloc(stride * stride * MemoryLayout<Double>.stride)?
      .assumingMemoryBound(to: Double.self)
    else { return nil }
    defer { free(window) }
    var sum = 0.0
    var largest = 0.0
    var base = 0  // node in the window's corner
    var filled = 0  // nodes whose rows are there
    var start = 0
    while start < nodes {
      let count = min(panelNodes, nodes - start)
      let end = min(nodes, start + count + layout.nodeReach)
      if end - base > roomNodes {
        // Rows start..<filled move to the corner.
        let (shift, kept) = ((start - base) * channels, (filled - start) * channels)
        for column in 0..<kept {
          memmove(
            window + column * stride + column, window + (column + shift) * (stride + 1),
            (kept - column) * MemoryLayout<Double>.stride)
        }
        base = start
      }
      while filled < end {
        guard
          fill(filled, layout, products, t, window, stride, base, from: start, &sum, &largest)
        else { return nil }
        filled += 1
      }
      let corner = window + (start - base) * channels * (stride + 1)
      let (panel, rest) = (count * channels, (end - start - count) * channels)
      let info = Arithmetic.threaded(order: rest) {
        openblas_band_step(Int32(panel), Int32(rest), corner, Int32(stride))
      }
      guard info == 0 else { return nil }
      for column in 0..<panel {
        guard corner[column * (stride + 1)] > 0 else { return nil }
        var check = 0.0
        for row in column..<panel + rest { check += corner[column * stride + row] * 0 }
        guard check == 0 else { return nil }
      }
      start += count
    }
    return (sum, largest)
  }

  /// The rows of one node of M, columns from node `from` on.
  private func fill(
    _ node: Int, _ layout: Layout, _ products: [Double], _ t: Double,
    _ window: UnsafeMutablePointer<Double>, _ stride: Int, _ base: Int, from: Int,
    _ sum: inout Double, _ largest: inout Double
  ) -> Bool {
    let channels = layout.channels
    let width = layout.extents[1]
    let size = axes[0].axis.kernel * axes[1].axis.kernel * channels
    let (a, b) = (node / width, node % width)
    let row = (node - base) * channels
    for column in (from - base) * channels..<(node - base + 1) * channels {
      let target = window + column * stride + row
      for channel in 0..<channels { target[channel] = 0 }
    }
    products.withUnsafeBufferPointer { products in
      for p in max(0, a - layout.reach[0])...a {
        let outer = layout.meetings[0][a][a - p]
        if outer.isEmpty { continue }
        for q in max(0, b - layout.reach[1])...min(width - 1, b + layout.reach[1]) {
          let other = p * width + q
          if other > node || other < from { continue }
          // Meetings are stored with the later node first.
          let inner = q <= b ? layout.meetings[1][b][b - q] : layout.meetings[1][q][q - b]
          for (x, y) in outer {
            for pair in inner {
              let (v, w) = q <= b ? pair : (pair.1, pair.0)
              let (first, second) = (tap(x, v, layout), tap(y, w, layout))
              for channel in 0..<channels {
                let source = products.baseAddress!
                  + (second * channels + channel) * size + first * channels
                let target = window + ((other - base) * channels + channel) * stride + row
                for place in 0..<channels { target[place] -= source[place] }
              }
            }
          }
        }
      }
    }
    for channel in 0..<channels {
      let place = (row + channel) * (stride + 1)
      window[place] += t
      guard window[place] > 0 else { return false }
      sum += window[place]
      largest = max(largest, window[place])
    }
    return true
  }

  private func tap(_ outer: Int, _ inner: Int, _ layout: Layout) -> Int {
    layout.outer == 0
      ? outer * axes[1].axis.kernel + inner : inner * axes[1].axis.kernel + outer
  }
}
