import Glibc
import Model
import Rounding
import Tensors

/// Self-attention over the columns x_1 … x_N of an input [features, length], the same shape out.
///
/// - `dot_product`: softmax over j of q_i·k_j/√d, times v_j, as PyTorch's `MultiheadAttention` of
///   (x, x, x). It is not Lipschitz in any norm (Kim, Papamakarios, Mnih, "The Lipschitz constant of
///   self-attention", 2021). Where every element of x is at most M it is, with `boundedConstant`.
/// - `dot_product` with `lipschitz_norm`: q_i·k_j divided by max(u·v, u·w, v·w), u = ‖Q‖_F,
///   v = max ‖k_j‖, w = max ‖v_j‖ of each head, as Dasoulas, Scaman, Virmaux ("Lipschitz normalization
///   for self-attention layers", 2021). The map of (Q, K, V) has the l2 constant
///   max(ρ² + 8, (ρ + 1)² + 5)^½, ρ² = 1 + (e² − 1)/√N, times ‖in_proj‖·‖out_proj‖.
/// - `l2`: scores −‖W·x_i − W·x_j‖²/√d with one W for queries and keys and the values
///   W_V·Wᵀ·W·x_j/√d (Kim, Papamakarios, Mnih). With c·e^(c+1) = N − 1 and w = 0.2785 (w·e^w = 1/e), a
///   head has ‖W_V‖·‖W‖²/√d·(√N + 2c + 2·(c·w·(N − 1))^½) in l2 and
///   ‖W_V‖∞·‖W‖₁·‖W‖∞/√d·(1 + 4c·√d) in linf; heads join to (Σ L²)^½ and max L, times ‖out_proj‖.
///
/// Where a norm has no formula of its own it has l2's times √(features·length). Tensors:
/// `in_proj_weight` [3·features, features] and `in_proj_bias`, or `query_weight` and `value_weight`
/// [features, features], then `out_proj.weight` and `out_proj.bias`. All pairs of columns are held
/// at once: batch·length²·features numbers.
public struct Attention: Layer {
  public enum Form: String, Sendable, CaseIterable, ArgumentValue {
    case dotProduct = "dot_product"
    case l2
  }
  public static let kind = "attention"
  public static let summary = "self-attention over the columns of [features, length]"
  public static let form = Argument<Form>(
    "kind", "What compares two columns.", default: .dotProduct)
  public static let lipschitzNorm = Argument<Bool>(
    "lipschitz_norm", "Whether the scores of `dot_product` are divided by their own size.",
    default: false)
  public static let heads = Argument<Int>(
    "heads", "Heads; must divide the features.", default: 1, in: .atLeastOne)
  public static let bias = Argument<Bool>("bias", "Whether the biases are there.", default: true)
  public static let arguments: [any ArgumentDeclaration] = [form, lipschitzNorm, heads, bias]
  public static let shorthand: String? = "kind"
  public static let examples: [Example] = [
    .good("attention: {heads: 2}", input: [4, 3]),
    .good("attention: {lipschitz_norm: true, heads: 2}", input: [4, 3]),
    .good("attention: {kind: l2, heads: 2}", input: [4, 3]),
    .good("attention: {kind: l2, bias: false}", input: [2, 4]),
    .bad("attention: {heads: «3»}", input: [4, 3], .shapeMismatch),
    .bad("attention: {kind: «cosine»}", input: [4, 3], .wrongType),
    .bad("attention: {kind: l2, lipschitz_norm: «true»}", input: [4, 3], .conflictingKeys),
    .bad("«attention»", input: [12], .shapeMismatch),
  ]

  public let form: Form
  public let lipschitzNorm: Bool
  public let heads: Int
  public let bias: Bool

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    form = arguments[Self.form]
    lipschitzNorm = arguments[Self.lipschitzNorm]
    heads = arguments[Self.heads]
    bias = arguments[Self.bias]
    if form == .l2, lipschitzNorm {
      throw ArgumentProblem(
        "`kind: l2` is Lipschitz as it is", argument: "lipschitz_norm",
        help: "leave `lipschitz_norm` out", code: .conflictingKeys)
    }
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    guard input.count == 2 else {
      throw ShapeProblem(
        "`attention` takes [features, length], not \(input.shapeText)",
        help: "`reshape: [features, height·width]` before it makes columns of positions")
    }
    guard input[0] % heads == 0 else {
      throw ShapeProblem("\(heads) heads do not divide \(input[0]) features", argument: "heads")
    }
    return input
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    let d = inputs[0][0]
    func uniform(_ count: Int) -> Initializer {
      .uniform(bound: (6 / Double(count)).squareRoot())
    }
    var weights: [WeightDeclaration] = []
    switch form {
    case .dotProduct:
      weights.append(WeightDeclaration("in_proj_weight", [3 * d, d], uniform(4 * d), isConstrained: true))
      if bias { weights.append(WeightDeclaration("in_proj_bias", [3 * d], .constant(0))) }
    case .l2:
      weights.append(WeightDeclaration("query_weight", [d, d], uniform(2 * d), isConstrained: true))
      weights.append(WeightDeclaration("value_weight", [d, d], uniform(2 * d), isConstrained: true))
    }
    let start = Initializer.uniform(bound: 1 / Double(d).squareRoot())
    weights.append(WeightDeclaration("out_proj.weight", [d, d], start, isConstrained: true))
    if bias { weights.append(WeightDeclaration("out_proj.bias", [d], .constant(0))) }
    return weights
  }

  // MARK: constants

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    let (d, length) = (inputs[0][0], inputs[0][1])
    switch form {
    case .dotProduct where !lipschitzNorm:
      return .unbounded(
        "dot-product attention is not Lipschitz where its input has no bound; `kind: l2` and "
          + "`lipschitz_norm: true` are; a `tanh` before it, or `data.range`, bounds the input")
    case .dotProduct:
      return .stored(
        StoredConstants { norm, steps in
          let l2 =
            steps.number(Self.normalisedConstant(length))
            * steps.norm(StoredRows("in_proj_weight", rows: 0..<3 * d, of: 3 * d, columns: d), .l2)
            * steps.norm(Self.square("out_proj.weight", d), .l2)
          return norm == .l2 ? l2 : Self.equivalent(l2, d * length, steps)
        })
    case .l2:
      return .stored(
        StoredConstants { norm, steps in
          if norm == .linf { return distanceConstant(d, length, steps) }
          let l2 = euclideanConstant(d, length, steps)
          return norm == .l2 ? l2 : Self.equivalent(l2, d * length, steps)
        })
    }
  }

  public var needsBoundedInput: Bool { form == .dotProduct && !lipschitzNorm }

  public func constants(
    _ inputs: [Shape], within largest: [StoredBound]
  ) -> StoredConstants? {
    guard needsBoundedInput else { return nil }
    let (d, length) = (inputs[0][0], inputs[0][1])
    return StoredConstants { norm, steps in
      if norm == .linf { return boundedConstant(d, length, norm, largest[0], steps) }
      let l2 = boundedConstant(d, length, .l2, largest[0], steps)
      return norm == .l2 ? l2 : Self.equivalent(l2, d * length, steps)
    }
  }

  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { false }

  /// Of `dot_product` where |x| ≤ M at every element, with Q, K, V the parts of the projection of a
  /// head of size s and β ≥ |bias|.
  ///
  /// A score changes by ds_ij = (Q·dx_i)·k_j/√s + q_i·(K·dx_j)/√s, and an output by
  /// Σ_j P_ij·V·dx_j + V·Σ_j P_ij·(x_j − x̄_i)·ds_ij, P the softmax, whose rows sum up to 1 and whose
  /// columns to at most N. What does not depend on j drops out of the second sum, so the key's bias
  /// is in neither constant.
  ///
  /// - l2, R = √d·M ≥ ‖x_j‖: the first sum is at most √N·‖V‖·‖dX‖. The query's part is
  ///   V·Cov_i(x)·Kᵀ·Q·dx_i/√s, Cov_i ≤ R². The key's is at most R·(Σ_j P_ij·y_ij²)^½, by
  ///   Cauchy–Schwarz, y_ij = q_i·(K·dx_j)/√s, |q_i| ≤ ‖Q‖·R + √s·β; summed over i, a factor N. In
  ///   all ‖V‖·(√N + ‖K‖/√s·R·(R·‖Q‖ + √N·(R·‖Q‖ + √s·β))).
  /// - linf: a covariance is at most the product of two deviations, ‖V‖·M and the largest |ds|, where
  ///   |u·w| ≤ s·max |u|·max |w|: ‖V‖·(1 + M·√s·‖K‖·(2·M·‖Q‖ + β)).
  ///
  /// Heads join to (Σ L²)^½ and max L, times ‖out_proj‖.
  private func boundedConstant(
    _ d: Int, _ length: Int, _ norm: Norm, _ largest: StoredBound, _ steps: BoundSteps
  ) -> BoundSteps.Term {
    let size = d / heads
    let m = steps.embed(largest)
    let one = steps.number(1)
    let rootSize = steps.number(Double(size)).squareRoot()
    let rootLength = steps.number(Double(length)).squareRoot()
    let r = norm == .l2 ? steps.number(Double(d)).squareRoot() * m : m
    let constants = (0..<heads).map { head -> BoundSteps.Term in
      func part(_ index: Int) -> BoundSteps.Term {
        let first = index * d + head * size
        return steps.norm(
          StoredRows("in_proj_weight", rows: first..<first + size, of: 3 * d, columns: d), norm)
      }
      let (q, k, v) = (part(0), part(1), part(2))
      let product = r * q
      if norm == .linf {
        var sum = product + product
        if bias { sum = sum + steps.largest("in_proj_bias") }
        return v * (one + r * rootSize * k * sum)
      }
      var query = product
      if bias { query = query + rootSize * steps.largest("in_proj_bias") }
      let inverse = (UpperBound.one / root(d)).value
      return v * (rootLength + (inverse * k) * r * (product + rootLength * query))
    }
    let rest = constants.dropFirst()
    let joined =
      norm == .linf
      ? rest.reduce(constants[0]) { $0.maximum($1) }
      : rest.reduce(constants[0] * constants[0]) { $0 + $1 * $1 }.squareRoot()
    return joined * steps.norm(Self.square("out_proj.weight", d), norm)
  }

  /// ‖A‖₁, ‖A‖∞ ≤ √n·‖A‖₂ of n elements in and out.
  private static func equivalent(
    _ l2: BoundSteps.Term, _ count: Int, _ steps: BoundSteps
  ) -> BoundSteps.Term {
    steps.number(Double(count)).squareRoot() * l2
  }

  private static func square(_ weight: String, _ d: Int) -> StoredRows {
    StoredRows(weight, rows: 0..<d, of: d, columns: d)
  }

  /// max(ρ² + 8, (ρ + 1)² + 5)^½ with ρ² = 1 + (e² − 1)/√N.
  private static func normalisedConstant(_ length: Int) -> Double {
    let square = UpperBound.one
      + UpperBound(proved: 6.389056098930651) / LowerBound(proved: Double(length)).squareRoot()
    let next = square.squareRoot() + .one
    return max(square + UpperBound(proved: 8), next * next + UpperBound(proved: 5))
      .squareRoot().value
  }

  /// c with c·e^(c + 1) ≥ N − 1, hardly above the solution.
  private static func spread(_ length: Int) -> UpperBound {
    let target = Double(length - 1)
    if target == 0 { return .zero }
    var (low, high) = (0.0, 1 + target)
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if middle * exp(middle + 1) < target { low = middle } else { high = middle }
    }
    // The function of the computed c is off by a few units in the last place, and grows faster
    // than c does.
    return UpperBound(proved: high * (1 + 1e-12))
  }

  private func root(_ d: Int) -> LowerBound { LowerBound(proved: Double(d / heads)).squareRoot() }

  private func head(_ weight: String, _ index: Int, _ d: Int) -> StoredRows {
    let size = d / heads
    return StoredRows(weight, rows: index * size..<(index + 1) * size, of: d, columns: d)
  }

  private func euclideanConstant(
    _ d: Int, _ length: Int, _ steps: BoundSteps
  ) -> BoundSteps.Term {
    let c = Self.spread(length)
    let two = UpperBound(proved: 2)
    let pairs = c * UpperBound(proved: 0.278464542762) * UpperBound(proved: Double(length - 1))
    let sum =
      UpperBound(proved: Double(length)).squareRoot() + two * c + two * pairs.squareRoot()
    let factor = (sum / root(d)).value
    let squares = (0..<heads).map { index -> BoundSteps.Term in
      let w = steps.norm(head("query_weight", index, d), .l2)
      let one = steps.norm(head("value_weight", index, d), .l2) * w * w
      return one * one
    }
    let joined = squares.dropFirst().reduce(squares[0], +).squareRoot()
    return factor * joined * steps.norm(Self.square("out_proj.weight", d), .l2)
  }

  /// In linf. The stored W is the map x ↦ z, its transpose's ‖·‖∞ is its ‖·‖₁.
  private func distanceConstant(
    _ d: Int, _ length: Int, _ steps: BoundSteps
  ) -> BoundSteps.Term {
    let four = UpperBound(proved: 4) * Self.spread(length)
    let rootUp = UpperBound(proved: Double(d / heads)).squareRoot()
    let factor = ((UpperBound.one + four * rootUp) / root(d)).value
    let constants = (0..<heads).map { index in
      let w = head("query_weight", index, d)
      return steps.norm(head("value_weight", index, d), .linf) * steps.norm(w, .l1)
        * steps.norm(w, .linf)
    }
    let largest = constants.dropFirst().reduce(constants[0]) { $0.maximum($1) }
    return factor * largest * steps.norm(Self.square("out_proj.weight", d), .linf)
  }

  // MARK: lowering

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let (batch, d, length) = (g.shape(inputs[0])[0], g.shape(inputs[0])[1], g.shape(inputs[0])[2])
    let columns = g.reshape(g.transpose(inputs[0], [0, 2, 1]), to: [batch * length, d])
    let split = [batch, length, heads, d / heads]
    let result: Value
    switch form {
    case .dotProduct:
      var product = g.dot(columns, context.weight("in_proj_weight"), transposeRight: true)
      if bias {
        product = g.add(
          product, g.broadcast(trailing: context.weight("in_proj_bias"), to: g.shape(product)))
      }
      let parts = (0..<3).map { part in
        g.reshape(
          g.slice(
            product, starts: [0, part * d], limits: [batch * length, (part + 1) * d],
            strides: [1, 1]), to: split)
      }
      let products = g.multiply(pairs(parts[0], [0, 1], g), pairs(parts[1], [0, 2], g))
      var scores = g.sum(products, [4])
      if lipschitzNorm {
        let size = g.unary(.reciprocal, Self.size(parts, g))
        scores = g.multiply(scores, g.broadcast(size, to: g.shape(scores), axes: [0, 3]))
      } else {
        scores = g.multiply(scores, 1 / Double(d / heads).squareRoot())
      }
      result = weighted(parts[2], scores, g)
    case .l2:
      let z = g.dot(columns, context.weight("query_weight"), transposeRight: true)
      let heads = g.reshape(z, to: split)
      let differences = g.subtract(pairs(heads, [0, 1], g), pairs(heads, [0, 2], g))
      let scale = 1 / Double(d / self.heads).squareRoot()
      let scores = g.multiply(g.sum(g.square(differences), [4]), -scale)
      result = weighted(g.reshape(values(z, scale, context, d), to: split), scores, g)
    }
    let joined = g.reshape(result, to: [batch * length, d])
    var y = g.dot(joined, context.weight("out_proj.weight"), transposeRight: true)
    if bias {
      y = g.add(y, g.broadcast(trailing: context.weight("out_proj.bias"), to: g.shape(y)))
    }
    return g.transpose(g.reshape(y, to: [batch, length, d]), [0, 2, 1])
  }

  /// [batch, i, j, head, element] from [batch, column, head, element]; `axes` say which column.
  private func pairs(_ x: Value, _ axes: [Int], _ g: GraphBuilder) -> Value {
    let shape = g.shape(x)
    return g.broadcast(
      x, to: [shape[0], shape[1], shape[1], shape[2], shape[3]], axes: axes + [3, 4])
  }

  /// Σ_j softmax_j(scores)·v_j, scores [batch, i, j, head].
  private func weighted(_ v: Value, _ scores: Value, _ g: GraphBuilder) -> Value {
    let map = SoftmaxAxis(axis: 1, temperature: 1)
    let exponentials = g.unary(.exp, map.shifted(scores, g))
    let shares = g.divide(exponentials, map.spread(g.sum(exponentials, [2]), scores, g))
    let all = pairs(v, [0, 2], g)
    return g.sum(
      g.multiply(all, g.broadcast(shares, to: g.shape(all), axes: [0, 1, 2, 3])), [2])
  }

  /// max(u·v, u·w, v·w) of each head, a little above it: roots and the quotient stay finite at 0,
  /// and larger u, v, w keep the constant.
  private static func size(_ parts: [Value], _ g: GraphBuilder) -> Value {
    let tiny = 1e-12
    func root(_ x: Value) -> Value { g.unary(.squareRoot, g.add(x, tiny)) }
    let u = root(g.sum(g.square(parts[0]), [1, 3]))
    let lengths = parts.dropFirst().map { part in
      root(g.maximum(over: [1], g.sum(g.square(part), [3])))
    }
    let largest = g.binary(
      .maximum, g.multiply(u, g.binary(.maximum, lengths[0], lengths[1])),
      g.multiply(lengths[0], lengths[1]))
    return g.add(largest, tiny)
  }

  /// W_V·Wᵀ·z/√d of each head, side by side.
  private func values(
    _ z: Value, _ scale: Double, _ context: LoweringContext, _ d: Int
  ) -> Value {
    let g = context.graph
    let (rows, size) = (g.shape(z)[0], d / heads)
    let parts = (0..<heads).map { index in
      func rowsOf(_ name: String) -> Value {
        g.slice(
          context.weight(name), starts: [index * size, 0], limits: [(index + 1) * size, d],
          strides: [1, 1])
      }
      let part = g.slice(
        z, starts: [0, index * size], limits: [rows, (index + 1) * size], strides: [1, 1])
      let back = g.multiply(g.dot(part, rowsOf("query_weight")), scale)
      return g.dot(back, rowsOf("value_weight"), transposeRight: true)
    }
    return g.concatenate(parts, axis: 1)
  }
}
