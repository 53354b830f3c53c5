import Glibc
import ReferenceEngine
import Tensors

/// How far pairs of points lie apart after a map, in units of how far before, in l1, l2 and linf.
///
/// Optimised, because tests look at 10⁵ pairs of every layer: at random first, near and far, along
/// axes, along signs, mirrored at 0; then around the steepest pairs of each norm.
public struct PairSearch {
  /// Of l1, l2, linf: the largest ‖f(b) − f(a)‖/‖b − a‖ among pairs that rounding does not blur.
  public private(set) var largest = [0.0, 0.0, 0.0]
  /// Of l1, l2, linf: the most by which an image exceeds constant·‖b − a‖ beyond rounding.
  public private(set) var excess = [0.0, 0.0, 0.0]

  private let executable: ReferenceExecutable
  private let constants: [Double]
  private let inputs: Int
  private let outputs: Int
  /// Rows of the program: pairs, first all a, then all b.
  private let rows: Int
  private var random: UInt64
  /// The steepest pairs of each norm: point and difference.
  private var best: [[(ratio: Double, a: [Double], d: [Double])]] = [[], [], []]

  /// - Parameters:
  ///   - program: input `x` [rows, …], output `y` [rows, …], rows even.
  ///   - constants: the claims in l1, l2, linf.
  public init(
    _ program: Program, state: [String: [Double]], constants: [Double], seed: UInt64
  ) throws {
    executable = try ReferenceEngine().executable([program])
    for (name, values) in state where executable.states[name] != nil {
      try executable.writeState(name, values)
    }
    let shape = program.graph.shape(program.outputs[0].value)
    rows = shape[0]
    outputs = shape.dropFirst().reduce(1, *)
    var count = 0
    for node in program.graph.nodes {
      if case .input(let leaf) = node.op, leaf.name == "x" {
        count = node.shape.dropFirst().reduce(1, *)
      }
    }
    inputs = count
    self.constants = constants
    random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  }

  /// Looks at `pairs` pairs at least.
  public mutating func run(pairs: Int) throws {
    let half = rows / 2
    let rounds = (pairs + half - 1) / half
    for round in 0..<rounds {
      var a: [[Double]] = []
      var d: [[Double]] = []
      for index in 0..<half {
        let pair = round < rounds / 2 || best[0].isEmpty ? freshPair(index) : nearBest(index)
        a.append(pair.a)
        d.append(pair.d)
      }
      try measure(a, d)
    }
  }

  private mutating func measure(_ a: [[Double]], _ d: [[Double]]) throws {
    var x: [Double] = []
    x.reserveCapacity(rows * inputs)
    for point in a { x += point }
    for (point, step) in zip(a, d) { for i in 0..<inputs { x.append(point[i] + step[i]) } }
    try executable.writeInput("x", of: "forward", x)
    try executable.run("forward")
    let y = try executable.readOutput("y", of: "forward") as [Double]
    let half = rows / 2
    for pair in 0..<half {
      let (ia, ib) = (pair * inputs, (half + pair) * inputs)
      let (oa, ob) = (pair * outputs, (half + pair) * outputs)
      let length = Self.lengths(inputs) { x[ib + $0] - x[ia + $0] }
      let image = Self.lengths(outputs) { y[ob + $0] - y[oa + $0] }
      let size = Self.lengths(inputs) { abs(x[ia + $0]) + abs(x[ib + $0]) }
      let imageSize = Self.lengths(outputs) { abs(y[oa + $0]) + abs(y[ob + $0]) }
      for norm in 0..<3 where length[norm] > 0 {
        // The difference of two rounded images is off by the rounding of the images themselves.
        // 1 for functions that add and take away numbers of that size.
        let rounding = 1e-14 * (size[norm] * constants[norm] + imageSize[norm] + 1)
        excess[norm] = max(excess[norm], image[norm] - constants[norm] * length[norm] - rounding)
        guard length[norm] > 1e-6 * size[norm] else { continue }
        let ratio = image[norm] / length[norm]
        largest[norm] = max(largest[norm], ratio)
        if best[norm].count < 8 || ratio > best[norm].last!.ratio {
          best[norm].append((ratio, a[pair], d[pair]))
          best[norm].sort { $0.ratio > $1.ratio }
          if best[norm].count > 8 { best[norm].removeLast() }
        }
      }
    }
  }

  private static func lengths(_ count: Int, _ element: (Int) -> Double) -> [Double] {
    var (sum, square, most) = (0.0, 0.0, 0.0)
    for index in 0..<count {
      let size = abs(element(index))
      sum += size
      square += size * size
      most = max(most, size)
    }
    return [sum, square.squareRoot(), most]
  }

  // MARK: pairs

  private mutating func freshPair(_ index: Int) -> (a: [Double], d: [Double]) {
    let scale = exp(uniform() * 12 - 7)
    var a = (0..<inputs).map { _ in scale * normal() }
    if index % 7 == 0 { a = a.map { _ in 0 } }
    if index % 11 == 0 { a = a.map { _ in a[0] } }
    if index % 5 == 0 {
      // One or two elements far above the others.
      for _ in 0..<(1 + below(2)) { a[below(inputs)] = 3 * scale }
    }
    let length = scale * exp(-uniform() * 8)
    switch index % 6 {
    case 0: return (a, spike(length))
    case 1: return (a, a.map { _ in length * (uniform() < 0.5 ? -1 : 1) })
    case 2: return (a, a.map { -2 * $0 })
    case 3: return (a, a.map { _ in length })
    default: return (a, a.map { _ in length * normal() })
    }
  }

  private mutating func nearBest(_ index: Int) -> (a: [Double], d: [Double]) {
    let list = best[index % 3]
    var (_, a, d) = list[below(list.count)]
    let spread = exp(-uniform() * 7)
    let size = a.reduce(1e-9) { max($0, abs($1)) }
    let step = d.reduce(1e-12) { max($0, abs($1)) }
    switch below(5) {
    case 0: a = a.map { $0 + spread * size * normal() }
    case 1: d = d.map { $0 + spread * step * normal() }
    case 2:
      let place = below(inputs)
      a[place] += (uniform() < 0.5 ? -1 : 1) * size * exp(uniform() * 3 - 2)
    case 3:
      let place = below(inputs)
      d[place] = uniform() < 0.5 ? -d[place] : 0
    default:
      let factor = exp(uniform() * 4 - 3)
      d = d.map { $0 * factor }
      if uniform() < 0.5 {
        let other = exp(uniform() * 2 - 1)
        a = a.map { $0 * other }
      }
    }
    return (a, d)
  }

  private mutating func spike(_ length: Double) -> [Double] {
    let place = below(inputs)
    return (0..<inputs).map { $0 == place ? length : 0 }
  }

  private mutating func bits() -> UInt64 {
    random ^= random >> 12
    random ^= random << 25
    random ^= random >> 27
    return random &* 0x2545_F491_4F6C_DD1D
  }
  private mutating func uniform() -> Double { Double(bits() >> 11) * 0x1p-53 }
  private mutating func below(_ limit: Int) -> Int { Int(bits() % UInt64(limit)) }
  private mutating func normal() -> Double {
    (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
  }
}
