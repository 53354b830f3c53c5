/// Along one axis of a convolution: the input element that each tap of each output reads, −1 for a
/// zero.
struct AxisReads {
  let axis: StatedConvolution.Axis
  let padding: StatedConvolution.Padding
  /// [output][tap]
  let elements: [[Int]]

  init(_ axis: StatedConvolution.Axis, _ padding: StatedConvolution.Padding) {
    self.axis = axis
    self.padding = padding
    elements = (0..<axis.outputs).map { output in
      (0..<axis.kernel).map { tap in
        Self.element(output * axis.stride + tap * axis.dilation - axis.low, axis.extent, padding)
      }
    }
  }

  /// What padded position p of an axis of n elements shows.
  private static func element(
    _ p: Int, _ n: Int, _ padding: StatedConvolution.Padding
  ) -> Int {
    if p >= 0, p < n { return p }
    switch padding {
    case .zeros: return -1
    case .replicate: return p < 0 ? 0 : n - 1
    case .circular: return (p % n + n) % n
    case .reflect:
      if n == 1 { return 0 }
      let place = (p % (2 * n - 2) + 2 * n - 2) % (2 * n - 2)
      return min(place, 2 * n - 2 - place)
    }
  }

  /// Whether any tap reads beyond the elements.
  var readsPadding: Bool {
    axis.low > 0
      || (axis.outputs - 1) * axis.stride + (axis.kernel - 1) * axis.dilation
        >= axis.low + axis.extent
  }

  /// The largest number of read positions that show one element.
  var copies: Int {
    var read: Set<Int> = []
    for output in 0..<axis.outputs {
      for tap in 0..<axis.kernel { read.insert(output * axis.stride + tap * axis.dilation) }
    }
    var counts = [Int](repeating: 0, count: axis.extent)
    for position in read {
      let element = Self.element(position - axis.low, axis.extent, padding)
      if element >= 0 { counts[element] += 1 }
    }
    return counts.max() ?? 1
  }

  /// Whether each element is read at most once, by one tap of one output.
  var isDisjoint: Bool {
    let read = elements.joined().filter { $0 >= 0 }
    return Set(read).count == read.count
  }

  /// Taps grouped by the element that one output reads through them (`rows`), or by the output that
  /// reads one element through them; every pattern that some position has.
  func patterns(rows: Bool) -> [[[Int]]] {
    var lists = [[Int: [Int]]](repeating: [:], count: rows ? axis.outputs : axis.extent)
    for (output, taps) in elements.enumerated() {
      for (tap, element) in taps.enumerated() where element >= 0 {
        lists[rows ? output : element][rows ? element : output, default: []].append(tap)
      }
    }
    let patterns = Set(lists.map { list in
      Set(list.values.map { $0 })
        .sorted { $0.lexicographicallyPrecedes($1) }
        .map { taps in (taps: taps, count: list.values.filter { $0 == taps }.count) }
        .flatMap { [[Int]](repeating: $0.taps, count: $0.count) }
    })
    // Of patterns of single taps only those matter that no other one contains.
    let sets = patterns.map { pattern in (pattern, Set(pattern)) }
    let isPlain = sets.allSatisfy { pattern, set in
      set.count == pattern.count && pattern.allSatisfy { $0.count == 1 }
    }
    guard isPlain else { return Array(patterns) }
    return sets.filter { _, set in !sets.contains { $0.1.isStrictSuperset(of: set) } }.map(\.0)
  }

  /// For every pair of neighbours on one side (outputs, or input elements) that meet in an element
  /// of the other: the taps by which both meet, [node][distance to an earlier node].
  func meetings(ofOutputs: Bool) -> [[[(Int, Int)]]] {
    var groups = [[(node: Int, tap: Int)]](
      repeating: [], count: ofOutputs ? axis.extent : axis.outputs)
    for (output, taps) in elements.enumerated() {
      for (tap, element) in taps.enumerated() where element >= 0 {
        groups[ofOutputs ? element : output].append((ofOutputs ? output : element, tap))
      }
    }
    var reach = 0
    for group in groups {
      if let low = group.map(\.node).min(), let high = group.map(\.node).max() {
        reach = max(reach, high - low)
      }
    }
    let nodes = ofOutputs ? axis.outputs : axis.extent
    var result = [[[(Int, Int)]]](
      repeating: [[(Int, Int)]](repeating: [], count: reach + 1), count: nodes)
    for group in groups {
      for a in group {
        for b in group where b.node <= a.node {
          result[a.node][a.node - b.node].append((a.tap, b.tap))
        }
      }
    }
    return result
  }
}
