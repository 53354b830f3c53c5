import Rounding

/// How a constant follows from stored tensors: sums, products, maxima and roots of norms and
/// numbers, each step of earlier ones, the last the constant. No step falls where an operand grows.
struct StatedSteps {
  enum Step {
    case number(Double)
    case norm(weight: String, rows: Range<Int>, height: Int, columns: Int, Norm)
    case largest(weight: String)
    case sum(Int, Int)
    case product(Int, Int)
    case maximum(Int, Int)
    case root(Int)
  }
  let steps: [Step]

  init(_ fields: Fields) throws(VerificationError) {
    var steps: [Step] = []
    for field in try fields.list() {
      func operands(_ count: Int) throws(VerificationError) -> [Int] {
        guard !steps.isEmpty else { throw field.fault("reads a step that is not there") }
        let places = try field.field("of").integers(in: 0...steps.count - 1)
        guard places.count == count else { throw field.fault("has not \(count) operands") }
        return places
      }
      switch try field.field("type").string() {
      case "number": steps.append(.number(try field.field("value").bound()))
      case "largest": steps.append(.largest(weight: try field.field("weight").string()))
      case "norm":
        let positive = 1...(1 << 31)
        let first = try field.field("first").integer(in: 0...(1 << 31))
        let rows = try field.field("rows").integer(in: positive)
        let height = try field.field("height").integer(in: positive)
        guard first + rows <= height else { throw field.fault("has rows beyond the matrix") }
        guard let norm = Norm(rawValue: try field.field("norm").string()) else {
          throw field.fault("has an unknown norm")
        }
        steps.append(
          .norm(
            weight: try field.field("weight").string(), rows: first..<first + rows,
            height: height, columns: try field.field("columns").integer(in: positive), norm))
      case "sum":
        let of = try operands(2)
        steps.append(.sum(of[0], of[1]))
      case "product":
        let of = try operands(2)
        steps.append(.product(of[0], of[1]))
      case "maximum":
        let of = try operands(2)
        steps.append(.maximum(of[0], of[1]))
      case "root": steps.append(.root(try operands(1)[0]))
      case let other: throw field.fault("is of the unknown type `\(other)`")
      }
    }
    guard !steps.isEmpty else { throw fields.fault("has no steps") }
    self.steps = steps
  }

  /// The constant, rounded up; the norms of the matrices as stated, each proved anew.
  func value(
    _ norms: [StatedNorm], _ weights: StoredWeights
  ) throws(VerificationError) -> Double {
    var values: [Double] = []
    var rest = norms[...]
    for step in steps {
      switch step {
      case .number(let number): values.append(number)
      case .largest(let weight):
        values.append(try weights.numbers(weight).reduce(0) { max($0, $1.magnitude) })
      case .norm(let weight, let rows, let height, let columns, let norm):
        guard let stated = rest.popFirst() else {
          throw .refused("a norm of it is not stated", at: weight)
        }
        let isProved = try OperatorCheck(weights: weights, norm: norm).rows(
          rows, ofMatrix: weight, height, columns, bound: stated.bound, stated.evidence)
        guard isProved else { throw .refused("a norm of it is not proved", at: weight) }
        values.append(stated.bound)
      case .sum(let a, let b): values.append(Directed.sumUp(values[a], values[b]))
      case .product(let a, let b):
        values.append(
          values[a] == 0 || values[b] == 0 ? 0 : Directed.productUp(values[a], values[b]))
      case .maximum(let a, let b): values.append(max(values[a], values[b]))
      case .root(let a): values.append(Directed.squareRootUp(values[a]))
      }
    }
    return values.last ?? .infinity
  }

  /// The entries of all matrices, each as often as its shorter side: what the check costs, about.
  var work: Double {
    steps.reduce(0) { sum, step in
      guard case .norm(_, let rows, _, let columns, _) = step else { return sum }
      let size = Double(rows.count) * Double(columns)
      return size < 4096 ? sum : sum + size * Double(min(rows.count, columns))
    }
  }
}

/// A norm of one matrix that a constant is computed from.
struct StatedNorm {
  let bound: Double
  let evidence: StatedEvidence

  init(_ fields: Fields) throws(VerificationError) {
    bound = try fields.field("bound").bound()
    evidence = try StatedEvidence(try fields.field("evidence"))
  }
}
