import CKernels

/// Adam for one parameter, found in the nodes of a loop:
///
///     m' = β₁·m + γ₁·g,   v' = β₂·v + γ₂·g²,   p' = δ·p − λ·m'/(√v'·ρ + ε)
///
/// with scalars β₁ … ε and the optional decay δ, factors and terms in any order. As one instruction
/// it reads and writes every tensor once.
struct AdamUpdate {
  enum Scalar {
    case operand(Int)
    case one
  }
  /// State leaves.
  var parameter: Int
  var first: Int
  var second: Int
  /// The nodes m' and v'.
  var newFirst: Int
  var newSecond: Int
  /// The operand g.
  var gradient: Int
  /// β₁, γ₁, β₂, γ₂, λ, ρ, ε, δ: the order of the instruction.
  var scalars: [Scalar]
  /// All nodes of the pattern but p'.
  var absorbed: [Int]
}

/// Finds Adam among the members of a loop.
struct AdamMatcher {
  private let planner: Planner
  private let members: Set<Int>

  init(_ planner: Planner, _ group: Group) {
    self.planner = planner
    members = Set(group.members)
  }

  func match(_ node: Int) -> AdamUpdate? {
    var inner: [Int] = []
    guard let leaf = planner.precedence.writes[node],
      let (kept, change) = operands(node, LGC_SUBTRACT),
      let (rate, first, denominator) = quotient(change, &inner),
      let decay = decay(kept, leaf, &inner),
      let (second, rho, epsilon) = self.denominator(denominator, &inner),
      let moment = average(first, &inner), let variance = average(second, &inner),
      let gradient = squared(variance.sample, &inner),
      root(gradient) == root(moment.sample)
    else { return nil }
    // What the pattern takes in must be needed nowhere else; m' and v' are stored anyway.
    let known = Set(inner + [node, root(first), root(second)])
    guard inner.allSatisfy({ !planner.isRequired($0) && known.isSuperset(of: readers($0)) }) else {
      return nil
    }
    return AdamUpdate(
      parameter: leaf, first: moment.state, second: variance.state, newFirst: root(first),
      newSecond: root(second), gradient: moment.sample,
      scalars: [
        .operand(moment.decay), .operand(moment.weight), .operand(variance.decay),
        .operand(variance.weight), .operand(rate), rho, .operand(epsilon), decay,
      ],
      absorbed: inner + [root(first), root(second)])
  }

  // MARK: parts of the formula

  /// λ·(m'/d), (λ·m')/d, each in any order.
  private func quotient(
    _ operand: Int, _ inner: inout [Int]
  ) -> (rate: Int, first: Int, denominator: Int)? {
    if let (quotient, rate) = scaled(operand), let (first, below) = operands(quotient, LGC_DIVIDE) {
      inner += [root(operand), root(quotient)]
      return (rate, first, below)
    }
    if let (product, below) = operands(operand, LGC_DIVIDE), let (first, rate) = scaled(product) {
      inner += [root(operand), root(product)]
      return (rate, first, below)
    }
    return nil
  }

  /// p or δ·p.
  private func decay(_ operand: Int, _ leaf: Int, _ inner: inout [Int]) -> AdamUpdate.Scalar? {
    if root(operand) == leaf, isFull(operand) { return .one }
    guard let (parameter, factor) = scaled(operand), root(parameter) == leaf else { return nil }
    inner.append(root(operand))
    return .operand(factor)
  }

  /// √v'·ρ + ε or √v' + ε.
  private func denominator(
    _ operand: Int, _ inner: inout [Int]
  ) -> (second: Int, rho: AdamUpdate.Scalar, epsilon: Int)? {
    guard let (sum, epsilon) = split(operand, LGC_ADD) else { return nil }
    inner.append(root(operand))
    if let second = argument(sum, LGC_ROOT) {
      inner.append(root(sum))
      return (second, .one, epsilon)
    }
    guard let (rooted, rho) = scaled(sum), let second = argument(rooted, LGC_ROOT) else {
      return nil
    }
    inner += [root(sum), root(rooted)]
    return (second, .operand(rho), epsilon)
  }

  private struct Average {
    var state: Int
    var decay: Int
    var sample: Int
    var weight: Int
  }

  /// β·s + γ·x where the result replaces the state s.
  private func average(_ operand: Int, _ inner: inout [Int]) -> Average? {
    guard let leaf = planner.precedence.writes[root(operand)],
      let (a, b) = operands(operand, LGC_ADD)
    else { return nil }
    for (old, new) in [(a, b), (b, a)] {
      guard let (state, decay) = scaled(old), root(state) == leaf, isFull(state),
        let (sample, weight) = scaled(new), isFull(sample)
      else { continue }
      inner += [root(old), root(new)]
      return Average(state: leaf, decay: decay, sample: sample, weight: weight)
    }
    return nil
  }

  /// x of x² or x·x.
  private func squared(_ operand: Int, _ inner: inout [Int]) -> Int? {
    if let x = argument(operand, LGC_SQUARE) {
      inner.append(root(operand))
      return x
    }
    guard let (x, y) = operands(operand, LGC_MULTIPLY), root(x) == root(y) else { return nil }
    inner.append(root(operand))
    return x
  }

  // MARK: nodes

  private func root(_ operand: Int) -> Int { planner.graph.root(operand) }
  private func readers(_ node: Int) -> [Int] { planner.reads.readers[node] }
  private func isScalar(_ operand: Int) -> Bool {
    planner.reads.access(operand)?.layout == LGC_SCALAR
  }
  private func isFull(_ operand: Int) -> Bool {
    planner.reads.access(operand)?.layout == LGC_FULL
  }

  /// The operands of a member of the loop that is this operation.
  private func operands(_ operand: Int, _ operation: lgc_operation) -> (Int, Int)? {
    let node = planner.graph.nodes[root(operand)]
    guard members.contains(root(operand)), node.isMap(operation) else { return nil }
    return (node.operands[0], node.operands[1])
  }

  private func argument(_ operand: Int, _ operation: lgc_operation) -> Int? {
    let node = planner.graph.nodes[root(operand)]
    guard members.contains(root(operand)), node.isMap(operation) else { return nil }
    return node.operands[0]
  }

  /// A tensor and a scalar under a commutative operation.
  private func split(
    _ operand: Int, _ operation: lgc_operation
  ) -> (tensor: Int, scalar: Int)? {
    guard let (a, b) = operands(operand, operation), isScalar(a) != isScalar(b) else { return nil }
    return isScalar(b) ? (a, b) : (b, a)
  }

  private func scaled(_ operand: Int) -> (tensor: Int, scalar: Int)? {
    split(operand, LGC_MULTIPLY)
  }
}
