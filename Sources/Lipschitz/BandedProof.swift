import COpenBLAS
import Glibc
import Model

/// A proved bound of ‖T‖₂ of one group of a convolution at its real size, borders included, by a
/// Cholesky factorisation of tI − G, G = TᵀT or TTᵀ.
///
/// With the elements ordered by position and then channel, G is banded: two inputs meet only where
/// some output reads both. With bandwidth b, M = fl(tI − Ĝ) and l₁, l∞ the norms of T with
/// absolute taps, completion of the factorisation proves
///
///     ‖T‖² ≤ (t + u((b + 5)·min((2b + 1)·max Mᵢᵢ, Σ Mᵢᵢ) + max Mᵢᵢ + m·l₁·l∞)(1 + 2⁻²⁰))(1 + 2⁻⁵⁰).
///
/// Proof. As `SpectralProof`, with inner products of at most b + 1 terms and an error matrix that is
/// banded too, whose norm is at most its largest row sum. An entry of Ĝ is a sum of at most m − 3
/// products of taps in any order, so |Ĝ − G| ≤ m·u·|T|ᵀ|T| entrywise, and ‖|T|‖² ≤ l₁·l∞.
///
/// The factor is streamed: only the window of G that the band couples is ever stored.
struct BandedProof {
  /// Which Gram matrix, and which spatial axis varies slowest.
  struct Layout {
    let isOutputSide: Bool
    let outer: Int
    /// Positions along each axis that meet, at most this far apart.
    let reach: [Int]
    let extents: [Int]
    let channels: Int

    var inner: Int { 1 - outer }
    var nodes: Int { extents[0] * extents[1] }
    /// Nodes that meet lie at most this far apart.
    var nodeBand: Int { min(nodes - 1, reach[outer] * extents[inner] + reach[inner]) }
    var order: Int { nodes * channels }
    var bandwidth: Int { nodeBand * channels + channels - 1 }
    /// Operations of the factorisation.
    var cost: Double {
      let (n, b) = (Double(order), Double(bandwidth + 1))
      return b >= n ? n * n * n / 3 : n * b * b
    }
  }

  let map: ConvolutionMap
  let layout: Layout
  /// [tap][channel] against [tap][channel]: Σ of products of taps over the other side's channels.
  private let products: [Double]
  /// By axis, node and distance: the pairs of taps by which both are read.
  private let pairs: [[[(Int, Int)]]]
  private let absoluteProduct: Double
  private let terms: Int

  /// The cheapest layout of one group of `map`; its products take taps²·channels² numbers.
  static func layout(_ map: ConvolutionMap) -> Layout {
    var best: Layout?
    for isOutputSide in [false, true] {
      let reach = map.axes.map { isOutputSide ? $0.outputReach : $0.inputReach }
      let extents = map.axes.map { isOutputSide ? $0.outputs : $0.inputs }
      for outer in 0...1 {
        let layout = Layout(
          isOutputSide: isOutputSide, outer: outer, reach: reach, extents: extents,
          channels: isOutputSide ? map.groupOutputs : map.groupInputs)
        if best == nil || layout.cost < best!.cost { best = layout }
      }
    }
    return best!
  }

  /// - Parameter image: T with one group, its taps scaled to at most 1.
  init(_ map: ConvolutionMap, layout: Layout, entry: (Int) -> Double) {
    self.map = map
    self.layout = layout
    let (cog, cig, taps) = (map.groupOutputs, map.groupInputs, map.taps)
    let other = layout.isOutputSide ? cig : cog
    let size = taps * layout.channels
    // Column (tap, channel) holds its taps to the other side's channels.
    var stacked = [Double](repeating: 0, count: size * other)
    for output in 0..<cog {
      for input in 0..<cig {
        for tap in 0..<taps {
          let (own, across) = layout.isOutputSide ? (output, input) : (input, output)
          stacked[(tap * layout.channels + own) * other + across] =
            entry((output * cig + input) * taps + tap)
        }
      }
    }
    var products = [Double](repeating: 0, count: size * size)
    LinearAlgebra.withThreads(order: size) {
      openblas_gram(
        1, Int32(size), Int32(other), stacked, Int32(other), 0, &products, Int32(size))
    }
    for column in 0..<size {
      for row in 0..<column { products[row * size + column] = products[column * size + row] }
    }
    self.products = products
    pairs = map.axes.enumerated().map { index, axis in
      axis.pairs(isOutputSide: layout.isOutputSide, reach: layout.reach[index])
    }
    let most = pairs.map { $0.map(\.count).max() ?? 1 }
    terms = other + most[0] * most[1] + 8
    let image = ConvolutionImage(map) { entry($0).magnitude }
    let ones = [Double](repeating: 1, count: max(image.inputCount, image.outputCount))
    let linf = image.forward(Array(ones.prefix(image.inputCount))).max() ?? 0
    let l1 = image.adjoint(Array(ones.prefix(image.outputCount))).max() ?? 0
    absoluteProduct = linf * l1 * (1 + 0x1p-21)
  }

  /// The bound of ‖T‖² for shift t; nil where the factorisation does not run to completion.
  func provedSquare(shift t: Double) -> Double? {
    let (channels, nodes) = (layout.channels, layout.nodes)
    let panelNodes = min(nodes, max(1, min(256, max(48, layout.bandwidth / 6)) / channels))
    let live = min(nodes, panelNodes + layout.nodeBand)
    // Room beyond the window, so that it is moved only now and then.
    let capacity = min(nodes, live + max(panelNodes, live / 2))
    let stride = capacity * channels
    guard let window = malloc(stride * stride * MemoryLayout<Double>.stride)?
      .assumingMemoryBound(to: Double.self)
    else { return nil }
    defer { free(window) }
    var diagonal = (sum: 0.0, largest: 0.0)
    var (base, filled, next) = (0, 0, 0)
    let size = MemoryLayout<Double>.stride
    return LinearAlgebra.withThreads(order: live * channels) {
      while next < nodes {
        let wanted = min(nodes, next + live)
        if wanted - base > capacity {
          // The live part moves to the corner.
          let shift = (next - base) * channels
          let count = (filled - next) * channels
          for column in 0..<count {
            memmove(
              window + column * stride + column,
              window + (shift + column) * stride + shift + column, (count - column) * size)
          }
          base = next
        }
        if wanted > filled {
          let rows = ((filled - base) * channels, (wanted - base) * channels)
          for column in (next - base) * channels..<rows.1 {
            let from = max(rows.0, column)
            memset(window + column * stride + from, 0, (rows.1 - from) * size)
          }
          for node in filled..<wanted {
            guard fill(node, t, window, stride, base: base, &diagonal) else { return nil }
          }
          filled = wanted
        }
        let panel = min(panelNodes, nodes - next) * channels
        let rest = (filled - next) * channels - panel
        let corner = window + (next - base) * channels * (stride + 1)
        guard openblas_band_step(Int32(panel), Int32(rest), corner, Int32(stride)) == 0,
          isProper(corner, panel: panel, rest: rest, stride: stride)
        else { return nil }
        next += panel / channels
      }
      return square(t, diagonal)
    }
  }

  private func square(_ t: Double, _ diagonal: (sum: Double, largest: Double)) -> Double {
    let band = Double(layout.bandwidth)
    let u = 0x1p-53
    let factor = (band + 5) * min((2 * band + 1) * diagonal.largest, diagonal.sum)
    let gram = Double(terms) * absoluteProduct
    return (t + u * (factor + diagonal.largest + gram) * (1 + 0x1p-20)) * (1 + 0x1p-50)
  }

  /// What the error terms add to t at most, per unit of t; the shift needs that much and more.
  var roundingPerUnit: Double {
    let (band, order) = (Double(layout.bandwidth), Double(layout.order))
    return 0x1p-53 * (band + 5) * min(2 * band + 1, order)
  }
  var gramRounding: Double { 0x1p-53 * Double(terms) * absoluteProduct }
  /// ‖T‖² is at most this, whatever the factorisation says.
  var trivialSquare: Double { absoluteProduct * (1 + Double(terms) * 0x1p-50) }

  /// Writes the rows of one node of M = tI − Ĝ; false where a diagonal entry is not positive.
  private func fill(
    _ node: Int, _ t: Double, _ window: UnsafeMutablePointer<Double>, _ stride: Int, base: Int,
    _ diagonal: inout (sum: Double, largest: Double)
  ) -> Bool {
    let channels = layout.channels
    let width = layout.extents[layout.inner]
    let (a, b) = (node / width, node % width)
    let (reachA, reachB) = (layout.reach[layout.outer], layout.reach[layout.inner])
    let row = (node - base) * channels
    for other in max(0, a - reachA)...a {
      let pairsA = pairs[layout.outer][a * (reachA + 1) + a - other]
      if pairsA.isEmpty { continue }
      let last = other == a ? b : min(width - 1, b + reachB)
      for position in max(0, b - reachB)...max(0, last) {
        if position > last { continue }
        // Of a later position the pairs are stored the other way round.
        let isLater = position > b
        let pairsB = isLater
          ? pairs[layout.inner][position * (reachB + 1) + position - b]
          : pairs[layout.inner][b * (reachB + 1) + b - position]
        if pairsB.isEmpty { continue }
        let column = (other * width + position - base) * channels
        // Factored columns are complete already.
        if column < 0 { continue }
        for (x, y) in pairsA {
          for pair in pairsB {
            let (v, w) = isLater ? (pair.1, pair.0) : pair
            subtract(
              layout.outer == 0 ? tap(x, v) : tap(v, x), layout.outer == 0 ? tap(y, w) : tap(w, y),
              window + column * stride + row, stride)
          }
        }
      }
    }
    for channel in 0..<channels {
      let entry = window + (row + channel) * (stride + 1)
      let shifted = t + entry.pointee
      guard shifted > 0 else { return false }
      entry.pointee = shifted
      diagonal.sum += shifted
      diagonal.largest = max(diagonal.largest, shifted)
    }
    return true
  }

  private func tap(_ first: Int, _ second: Int) -> Int {
    first * map.windows[1].kernel + second
  }

  /// block[row, column] −= products[(tap, row), (other tap, column)]
  private func subtract(
    _ tap: Int, _ other: Int, _ block: UnsafeMutablePointer<Double>, _ stride: Int
  ) {
    let channels = layout.channels
    let size = map.taps * channels
    products.withUnsafeBufferPointer { products in
      for column in 0..<channels {
        let source = products.baseAddress! + (other * channels + column) * size + tap * channels
        let target = block + column * stride
        for row in 0..<channels { target[row] -= source[row] }
      }
    }
  }

  /// Whether every entry of the panel's factor is finite and its diagonal positive; LAPACK's info
  /// is not enough.
  private func isProper(
    _ corner: UnsafeMutablePointer<Double>, panel: Int, rest: Int, stride: Int
  ) -> Bool {
    for column in 0..<panel {
      guard corner[column * (stride + 1)] > 0 else { return false }
      var check = 0.0
      let entries = corner + column * stride
      var lanes = SIMD8<Double>(repeating: 0)
      var row = column
      while row + 8 <= panel + rest {
        lanes += UnsafeRawPointer(entries + row).loadUnaligned(as: SIMD8<Double>.self) * 0
        row += 8
      }
      while row < panel + rest {
        check += entries[row] * 0
        row += 1
      }
      guard check + lanes.sum() == 0 else { return false }
    }
    return true
  }
}

extension AxisReads {
  /// The largest distance of two inputs that one output reads.
  var inputReach: Int {
    (0..<outputs).reduce(0) { reach, output in
      let read = (0..<taps).map { element(output, $0) }.filter { $0 >= 0 }
      return read.isEmpty ? reach : max(reach, read.max()! - read.min()!)
    }
  }

  /// The largest distance of two outputs that read one input.
  var outputReach: Int {
    var first = [Int](repeating: -1, count: inputs)
    var reach = 0
    for output in 0..<outputs {
      for tap in 0..<taps where element(output, tap) >= 0 {
        let input = element(output, tap)
        if first[input] < 0 { first[input] = output }
        reach = max(reach, output - first[input])
      }
    }
    return reach
  }

  /// [node · (reach + 1) + distance]: the pairs (tap to the node, tap to the node that far before
  /// it) through a common element of the other side.
  func pairs(isOutputSide: Bool, reach: Int) -> [[(Int, Int)]] {
    let nodes = isOutputSide ? outputs : inputs
    var meetings = [[(node: Int, tap: Int)]](
      repeating: [], count: isOutputSide ? inputs : outputs)
    for output in 0..<outputs {
      for tap in 0..<taps where element(output, tap) >= 0 {
        let input = element(output, tap)
        if isOutputSide {
          meetings[input].append((output, tap))
        } else {
          meetings[output].append((input, tap))
        }
      }
    }
    var pairs = [[(Int, Int)]](repeating: [], count: nodes * (reach + 1))
    for meeting in meetings {
      for a in meeting {
        for b in meeting where b.node <= a.node {
          pairs[a.node * (reach + 1) + a.node - b.node].append((a.tap, b.tap))
        }
      }
    }
    return pairs
  }
}
