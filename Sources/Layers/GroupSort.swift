import Model
import Tensors

/// Sorts each group of `size` consecutive channels in ascending order, at every position by itself:
/// channels 0 … size−1 are the first group. Size 2 is known as MaxMin.
///
/// Piecewise a permutation and continuous: constant 1 in every norm, and the gradient's norm is
/// kept almost everywhere (Anil, Lucas, Grosse, "Sorting out Lipschitz function approximation",
/// 2019).
public struct GroupSort: Layer {
  public static let kind = "group_sort"
  public static let summary = "sorts each group of consecutive channels, smallest first"
  public static let size = Argument<Int>(
    "size", "Channels per group; must divide the channels.", default: 2, in: .atLeastOne)
  public static let arguments: [any ArgumentDeclaration] = [size]
  public static let shorthand: String? = "size"
  public static let examples: [Example] = [
    .good("group_sort", input: [16]),
    .good("group_sort: 4", input: [16]),
    .good("group_sort: {size: 3}", input: [6, 5, 3]),
    .good("group_sort: {size: 7}", input: [7]),
    .good("group_sort: {size: 1}", input: [5]),
    .bad("group_sort: {size: «3»}", input: [16], .shapeMismatch),
    .bad("«group_sort»", input: [5], .shapeMismatch),
    .bad("group_sort: {size: «0»}", input: [16], .outOfRange),
  ]

  public let size: Int

  public init(_ arguments: Arguments) { size = arguments[Self.size] }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    guard let channels = input.first, channels % size == 0 else { throw .remainder(input, size) }
    return input
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .known(.one) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  /// Where several channels are equal the gradient is still a permutation, and not twice that of
  /// one of them; of size 2, equal channels keep their places.
  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    if size == 1 { return inputs[0] }
    if let masks = Self.exchanges(size) {
      return masks.reduce(inputs[0]) { context.graph.exchange($0, axis: 1, mask: $1) }
    }
    return sortedApart(inputs[0], context.graph)
  }

  /// Rounds of exchanges that sort any `count` keys, `count` a power of two: bitonic merges whose
  /// second half is read backwards, so that the lower place takes the smaller key throughout
  /// (Batcher 1968). nil where there are none.
  static func exchanges(_ count: Int) -> [Int]? {
    guard count <= Exchange.largestWidth, count & (count - 1) == 0 else { return nil }
    var masks: [Int] = []
    var width = 2
    while width <= count {
      masks.append(width - 1)
      var distance = width / 4
      while distance > 0 {
        masks.append(distance)
        distance /= 2
      }
      width *= 2
    }
    return masks
  }

  /// The members of all groups become `size` tensors, a comparison network sorts these, and they
  /// are laid side by side again. The operands of minimum and maximum stand in opposite order for
  /// the gradient's sake.
  private func sortedApart(_ input: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(input)
    let grouped = [shape[0], shape[1] / size, size] + shape.dropFirst(2)
    let x = g.reshape(input, to: grouped)
    var members = (0..<size).map { member in
      var starts = grouped.map { _ in 0 }
      var limits = grouped
      (starts[2], limits[2]) = (member, member + 1)
      return g.slice(x, starts: starts, limits: limits, strides: grouped.map { _ in 1 })
    }
    for (low, high) in Self.comparisons(size) {
      let (a, b) = (members[low], members[high])
      members[low] = g.binary(.minimum, a, b)
      members[high] = g.binary(.maximum, b, a)
    }
    return g.reshape(g.concatenate(members, axis: 2), to: shape)
  }

  /// Comparators (i, j), i < j, that sort any `count` keys: Batcher's merge exchange (Knuth, The
  /// Art of Computer Programming 3, 5.2.2, algorithm M), about ¼·count·(log₂ count)² of them.
  static func comparisons(_ count: Int) -> [(low: Int, high: Int)] {
    guard count > 1 else { return [] }
    var top = 1
    while top * 2 < count { top *= 2 }
    var result: [(low: Int, high: Int)] = []
    var p = top
    while p > 0 {
      var (q, r, distance) = (top, 0, p)
      while true {
        for i in 0..<(count - distance) where i & p == r { result.append((i, i + distance)) }
        if q == p { break }
        distance = q - p
        q /= 2
        r = p
      }
      p /= 2
    }
    return result
  }
}
