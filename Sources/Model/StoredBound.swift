import Rounding

/// A constant that follows from stored tensors by steps that cannot lower it where an operand
/// grows: sums, products, maxima and square roots of norms and numbers ≥ 0. Each step reads earlier
/// ones by their index; the last is the constant.
///
/// Monotone, so that upper bounds of the norms give one of the constant; and a list, so that a
/// certificate states it as it is and a checker repeats it without knowing the layer.
public struct StoredBound: Sendable, Hashable {
  public enum Step: Sendable, Hashable {
    /// A number ≥ 0 of the layer's kind and arguments, itself rounded up.
    case number(Double)
    /// The operator norm of rows of a stored matrix.
    case norm(StoredRows, Norm)
    /// max |w| of a stored tensor.
    case largest(weight: String)
    case sum(Int, Int)
    case product(Int, Int)
    case maximum(Int, Int)
    case root(Int)
  }
  public let steps: [Step]

  init(steps: [Step]) { self.steps = steps }

  /// The constant, rounded up; `leaf` bounds what is read of stored tensors.
  public func value<Failure: Error>(
    _ leaf: (Step) throws(Failure) -> UpperBound
  ) throws(Failure) -> UpperBound {
    var values: [UpperBound] = []
    values.reserveCapacity(steps.count)
    for step in steps {
      switch step {
      case .number(let number): values.append(UpperBound(proved: number))
      case .norm, .largest: values.append(try leaf(step))
      case .sum(let a, let b): values.append(values[a] + values[b])
      case .product(let a, let b): values.append(values[a] * values[b])
      case .maximum(let a, let b): values.append(max(values[a], values[b]))
      case .root(let a): values.append(values[a].squareRoot())
      }
    }
    return values.last ?? .unknown
  }

  /// The constant where it reads no tensor.
  public var number: UpperBound? {
    let reads = steps.contains {
      switch $0 {
      case .norm, .largest: true
      default: false
      }
    }
    return reads ? nil : value { _ in .unknown }
  }
}

/// Rows `rows` of the stored tensor `weight`, a matrix of `height` rows.
public struct StoredRows: Sendable, Hashable {
  public let weight: String
  public let rows: Range<Int>
  public let height: Int
  public let columns: Int
  public init(_ weight: String, rows: Range<Int>, of height: Int, columns: Int) {
    self.weight = weight
    self.rows = rows
    self.height = height
    self.columns = columns
  }
}

/// One constant in each norm.
public struct StoredConstants: Sendable, Hashable {
  public let l1: StoredBound
  public let l2: StoredBound
  public let linf: StoredBound

  /// - Parameter make: writes the constant in one norm and gives its last step.
  public init(_ make: (Norm, BoundSteps) -> BoundSteps.Term) {
    func bound(_ norm: Norm) -> StoredBound {
      let steps = BoundSteps()
      return steps.bound(make(norm, steps))
    }
    l1 = bound(.l1)
    l2 = bound(.l2)
    linf = bound(.linf)
  }

  public subscript(_ norm: Norm) -> StoredBound {
    switch norm {
    case .l1: l1
    case .l2: l2
    case .linf: linf
    }
  }
}

/// Writes a `StoredBound` as arithmetic on its terms.
public final class BoundSteps {
  private var steps: [StoredBound.Step] = []
  private var places: [StoredBound.Step: Int] = [:]

  public struct Term {
    fileprivate let owner: BoundSteps
    fileprivate let index: Int

    public static func + (a: Term, b: Term) -> Term { a.owner.add(.sum(a.index, b.index)) }
    public static func * (a: Term, b: Term) -> Term { a.owner.add(.product(a.index, b.index)) }
    public static func * (a: Double, b: Term) -> Term { b.owner.number(a) * b }
    public func squareRoot() -> Term { owner.add(.root(index)) }
    public func maximum(_ other: Term) -> Term { owner.add(.maximum(index, other.index)) }
  }

  /// `number` ≥ 0; where a formula is not exact in floating point the caller rounds it up.
  public func number(_ number: Double) -> Term { add(.number(number)) }
  public func norm(_ rows: StoredRows, _ norm: Norm) -> Term { add(.norm(rows, norm)) }
  public func largest(_ weight: String) -> Term { add(.largest(weight: weight)) }

  private func add(_ step: StoredBound.Step) -> Term {
    if let place = places[step] { return Term(owner: self, index: place) }
    steps.append(step)
    places[step] = steps.count - 1
    return Term(owner: self, index: steps.count - 1)
  }

  /// The steps up to `term`, which becomes the last.
  func bound(_ term: Term) -> StoredBound {
    StoredBound(steps: Array(steps[...term.index]))
  }
}
