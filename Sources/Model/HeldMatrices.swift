import Rounding
import Tensors

// Matrices of a layer that is no linear map: its constant follows from several of them, and its
// declared bound becomes one of each.

extension LayerNode {
  /// What a constraint on this stored tensor holds: the layer's own map, or the matrix alone where
  /// the constant follows from several; nil where nothing does.
  func heldOperator(_ weight: WeightDeclaration) -> LinearOperator? {
    switch operation {
    case .linear(let linear): linear
    case .stored where weight.isConstrained: weight.matrix
    case .stored where weights.contains(where: \.isConstrained):
      .diagonal(weight: weight.name, count: weight.shape.elementCount)
    default: nil
    }
  }

  /// The bound of a matrix that the declared one leaves it; of a linear map the declared one itself.
  func heldBound(_ weight: WeightDeclaration) -> Double? {
    if case .stored = operation, weight.isConstrained { return matrixBounds[weight.name] }
    return declared?.bound
  }

  /// The matrices that the constraint holds, each with its operator and its bound (∞ where the
  /// constraint needs none); none where it holds a linear map.
  public var heldMatrices: [(name: String, linear: LinearOperator, bound: Double)] {
    guard case .stored = operation, constraint != nil else { return [] }
    return readWeights.filter(\.isConstrained).map {
      ($0.name, $0.matrix, matrixBounds[$0.name] ?? .infinity)
    }
  }

  /// What is known of the constant in `norm` before there are weights, where every matrix keeps its
  /// bound; ∞ where it depends on more.
  public func boundOfHeldMatrices(_ norm: Norm) -> UpperBound {
    guard case .stored(let constants) = operation, let constraint else { return .unknown }
    let held = heldMatrices
    return constants[norm].value { step in
      switch step {
      case .norm(let rows, let norm):
        guard let matrix = held.first(where: { $0.name == rows.weight }) else { return .unknown }
        if let known = constraint.unit.staticBound(rows.matrix, norm: norm) { return known.bound }
        guard let declared, constraint.unit.isCertifiedAfterTraining else { return .unknown }
        return UpperBound(proved: matrix.bound)
          * normFactor(rows.matrix, from: declared.norm, to: norm)
      case .largest(let weight):
        guard constraint.unit.holdsBiases, readWeights.contains(where: { $0.name == weight })
        else { return .unknown }
        return constraint.unit.staticBound(.diagonal(weight: weight, count: 1), norm: norm)?.bound
          ?? .unknown
      default: return .unknown
      }
    }
  }

  /// A bound for each matrix such that together they give `declared` at most: those that the layer
  /// names have theirs, the others have equal ones, as large as the constant allows. Numbers that
  /// nothing holds (biases) count as they start.
  ///
  /// It is what training aims at. What holds for the stored weights, certified rescale decides.
  static func split(
    _ declared: DeclaredBound, _ constants: StoredConstants, _ weights: [WeightDeclaration],
    _ layer: any Layer
  ) -> [String: Double] {
    let fixed = layer.matrixBounds(declared.norm)
    let names = weights.filter(\.isConstrained).map(\.name)
    func constant(_ bound: Double) -> Double {
      constants[declared.norm].value { step in
        switch step {
        case .norm(let rows, let norm):
          let own = names.contains(rows.weight) ? fixed[rows.weight] ?? bound : 1
          return UpperBound(proved: own) * normFactor(rows.matrix, from: declared.norm, to: norm)
        case .largest(let weight):
          let start = weights.first { $0.name == weight }?.initializer.largest ?? 1
          return UpperBound(proved: start)
        default: return .unknown
        }
      }.value
    }
    var (low, high) = (0.0, 1.0)
    while high < 1e6, constant(high) <= declared.bound { (low, high) = (high, 2 * high) }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if constant(middle) <= declared.bound { low = middle } else { high = middle }
    }
    return Dictionary(uniqueKeysWithValues: names.map { ($0, fixed[$0] ?? low) })
  }
}

extension WeightDeclaration {
  /// The tensor as a matrix of its first extent's rows.
  fileprivate var matrix: LinearOperator {
    .dense(weight: name, outputs: shape[0], inputs: shape.dropFirst().reduce(1, *))
  }
}

extension StoredRows {
  fileprivate var matrix: LinearOperator {
    .dense(weight: weight, outputs: rows.count, inputs: columns)
  }
}

extension Initializer {
  /// The largest magnitude it gives, 1 where it has none.
  fileprivate var largest: Double {
    switch self {
    case .constant(let value): abs(value)
    case .uniform(let bound): bound
    case .normal, .unitVector: 1
    }
  }
}
