import Diagnostics
import Glibc
import Model
import Tensors

/// Samples drawn from a formula; the seed determines every one of them.
public struct Synthetic: Dataset {
  public static let kind = "synthetic"
  public static let summary = "Samples drawn from a formula: points of the plane, or noise"

  public enum Name: String, CaseIterable, ArgumentValue {
    /// Two interleaving half circles, n₀ = ⌊n/2⌋ points (cos t, sin t) of class 0 and n − n₀
    /// points (1 − cos t, 1/2 − sin t) of class 1, t evenly spaced on [0, π], each coordinate
    /// plus a normal deviate times `noise` (scikit-learn's `make_moons`).
    case twoMoons = "two_moons"
    /// Eight normal distributions about points evenly on the circle of radius 2, all divided by
    /// 1.414: class i is the point at angle iπ/4.
    case eightGaussians = "eight_gaussians"
    /// 25 of them about 2·{−2, …, 2}², all divided by 2.828; class 5i + j at (i − 2, j − 2)·2.
    case twentyFiveGaussians = "twenty_five_gaussians"
    /// t·(cos t, sin t) with t = 1.5π(1 + 2u), u uniform, plus noise, all divided by 7.5.
    case swissRoll = "swiss_roll"
    /// The unit circle, class 0, and the one of radius ½, at uniform angles.
    case circles
    /// Two arms s·θ/(3π)·(cos θ, sin θ), θ = 3π√u, s = 1 for class 0 and −1 for class 1.
    case spirals
    /// `classes` normal distributions about points evenly on the unit circle: class i is the point
    /// at angle 2πi/classes.
    case blobs
    /// Bytes and labels that are uniform and independent, of any shape: nothing can be learned from
    /// them, and a step takes as long as with any data.
    case noise

    /// The standard deviation of each coordinate's noise, before any division.
    var deviation: Double {
      switch self {
      case .twoMoons: 0.1
      case .eightGaussians, .spirals: 0.02
      case .twentyFiveGaussians, .circles: 0.05
      case .swissRoll: 0.25
      case .blobs: 0.2
      case .noise: 0
      }
    }
  }

  static let name = Argument<Name>("name", "Which samples.", default: .twoMoons)
  static let samples = Argument<Int>(
    "samples", "The number of training points.", default: 1000,
    in: ArgumentRange(lower: 2, upper: 100_000_000))
  static let testSamples = Argument<Int>(
    "test_samples", "The number of test points; 0: no test split.", default: 1000,
    in: ArgumentRange(lower: 0, upper: 100_000_000))
  static let noise = Argument<Double>.optional(
    "noise", "Of points: the standard deviation of each coordinate's noise before they are scaled; "
      + "else 0.1 for `two_moons`, 0.02 for `eight_gaussians` and `spirals`, 0.05 for "
      + "`twenty_five_gaussians` and `circles`, 0.2 for `blobs`, 0.25 for `swiss_roll`.",
    in: .nonNegative)
  static let shape = Argument<[Int]>.optional(
    "shape", "Of `noise`: the extents of a sample; else [3, 32, 32].", in: .atLeastOne)
  static let classes = Argument<Int>.optional(
    "classes", "Of `noise` and `blobs`: the number of classes; else 10 and 3.",
    in: ArgumentRange(lower: 2, upper: 1_000_000))
  public static var arguments: [any ArgumentDeclaration] {
    [name, samples, testSamples, noise, shape, classes]
  }
  public static var examples: [Example] {
    [
      .good("synthetic: {name: two_moons, samples: 2000, noise: 0.05}"),
      .good("synthetic"),
      .good("synthetic: {name: eight_gaussians, samples: 50000}"),
      .good("synthetic: {name: noise, shape: [1, 8, 8], classes: 4, samples: 100}"),
      .good("synthetic: {name: blobs, classes: 5, noise: 0.1}"),
      .bad("synthetic: {name: «two_suns»}", .wrongType),
      .bad("synthetic: {name: noise, shape: [1, «0»]}", .outOfRange),
      .bad("synthetic: {name: two_moons, shape: «[2]»}", .conflictingKeys),
      .bad("synthetic: {noise: «-1»}", .outOfRange),
    ]
  }

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    let name = arguments[Self.name]
    switch name {
    case .twoMoons, .eightGaussians, .twentyFiveGaussians, .swissRoll, .circles, .spirals:
      for other in [Self.shape.name, Self.classes.name] where arguments.spans[other] != nil {
        throw .foreign(other, to: name)
      }
    case .blobs:
      if arguments.spans[Self.shape.name] != nil { throw .foreign(Self.shape.name, to: name) }
    case .noise:
      if arguments.spans[Self.noise.name] != nil { throw .foreign(Self.noise.name, to: .noise) }
      let count = max(arguments[Self.samples], arguments[Self.testSamples])
      let shape = Self.shape(arguments)
      guard shape.checkedElementCount != nil, ([count] + shape).checkedElementCount != nil else {
        throw ArgumentProblem(
          "\(count) samples of \(shape.shapeText) are too large", argument: Self.shape.name,
          code: .tensorTooLarge)
      }
    }
  }

  public func load(
    _ arguments: Arguments, directory: String, seed: UInt64
  ) throws(DiagnosticError) -> LoadedData {
    let name = arguments[Self.name]
    let testCount = arguments[Self.testSamples]
    let deviation = arguments[optional: Self.noise] ?? name.deviation
    let points = PlaneSet(
      name: name, noise: deviation, blobs: arguments[optional: Self.classes] ?? 3)
    func draw(_ count: Int, _ split: String) -> Samples {
      switch name {
      case .twoMoons: Self.twoMoons(count: count, noise: deviation, seed: seed, split: split)
      case .eightGaussians, .twentyFiveGaussians, .swissRoll, .circles, .spirals, .blobs:
        points.draw(count: count, seed: seed, split: split)
      case .noise:
        Self.noise(
          count: count, shape: Self.shape(arguments),
          classes: arguments[optional: Self.classes] ?? 10, seed: seed, split: split)
      }
    }
    return LoadedData(
      train: draw(arguments[Self.samples], "train"),
      test: testCount > 0 ? draw(testCount, "test") : nil,
      classNames: name == .twoMoons ? ["upper", "lower"] : nil,
      modes: points.modes)
  }

  private static func shape(_ arguments: Arguments) -> Shape {
    arguments[optional: Self.shape] ?? [3, 32, 32]
  }

  /// Bytes four to a word, labels by the remainder of 64 bits (biased by less than 2⁻⁴⁴).
  static func noise(
    count: Int, shape: Shape, classes: Int, seed: UInt64, split: String
  ) -> Samples {
    var words = PhiloxGenerator(seed: seed, stream: "data.noise.\(split)")
    var numbers = PhiloxGenerator(seed: seed, stream: "data.noise.\(split).labels")
    let size = count * shape.elementCount
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      for start in stride(from: 0, to: size, by: 4) {
        var word = words.nextWord()
        for index in start..<min(start + 4, size) {
          buffer[index] = UInt8(truncatingIfNeeded: word)
          word >>= 8
        }
      }
      filled = size
    }
    let labels = (0..<count).map { _ in Int32(numbers.next() % UInt64(classes)) }
    return Samples(
      shape: shape, count: count, storage: .bytes(bytes), labels: labels, classCount: classes)
  }

  /// `count` points in a random order. The noise and the order of a split are their own streams.
  static func twoMoons(count: Int, noise: Double, seed: UInt64, split: String) -> Samples {
    let outer = count / 2
    var deviates = PhiloxGenerator(seed: seed, stream: "data.two_moons.\(split).noise")
    var order = PhiloxGenerator(seed: seed, stream: "data.two_moons.\(split).order")

    var points: [(x: Float, y: Float, label: Int32)] = []
    points.reserveCapacity(count)
    for index in 0..<count {
      let isOuter = index < outer
      let size = isOuter ? outer : count - outer
      let t = size > 1 ? Double.pi * Double(isOuter ? index : index - outer) / Double(size - 1) : 0
      let x = isOuter ? cos(t) : 1 - cos(t)
      let y = isOuter ? sin(t) : 0.5 - sin(t)
      let noisyX = x + noise * deviates.normal()
      let noisyY = y + noise * deviates.normal()
      points.append((Float(noisyX), Float(noisyY), isOuter ? 0 : 1))
    }
    let shuffled = order.permutation(of: count).map { points[Int($0)] }
    return Samples(
      shape: [2], count: count, storage: .floats(shuffled.flatMap { [$0.x, $0.y] }),
      labels: shuffled.map(\.label), classCount: 2)
  }
}

// MARK: messages

extension ArgumentProblem {
  fileprivate static func foreign(_ argument: String, to name: Synthetic.Name) -> ArgumentProblem {
    ArgumentProblem(
      "`\(argument)` says nothing about `\(name.rawValue)`", argument: argument,
      help: "leave it out", code: .conflictingKeys)
  }
}
