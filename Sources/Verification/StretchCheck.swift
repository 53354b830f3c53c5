import Rounding

/// Checks the multipliers of one stretch: one matrix inequality, formed from the graph and the
/// stored tensors.
///
/// With d = Δentry and z₁ … z_K the differences of what the activations write, every value between
/// is linear in v = (d, z₁, …): what activation k reads is Cₖ·v, the exit C·v. Slopes in [a, b] give
/// (zₖ − aCₖv)ᵢ(bCₖv − zₖ)ᵢ ≥ 0, so with multipliers λ > 0
///
///     ‖d‖² ≥ q(v) = ‖d‖² + Σ 2λₖᵢ(zₖ − aₖCₖv)ᵢ(zₖ − bₖCₖv)ᵢ = vᵀAv,
///
/// and if P = [[A, Cᵀ], [C, square·I]] is positive definite, ‖C·v‖² ≤ square·vᵀAv ≤ square·‖d‖².
/// P's entries are doubles with known errors (`StretchInequality`). Its blocks (d, z₁, …, exit) are
/// those that the graph gives it: a chain has only neighbours.
struct StretchCheck {
  let graph: StatedGraph
  let weights: StoredWeights
  let stretch: StatedStretch

  func check() throws(VerificationError) {
    let forms = try variables()
    guard try isDefinite(forms.activations, forms.exit) else {
      throw refused("the multipliers up to it do not prove the square \(stretch.square)")
    }
  }

  private func refused(_ reason: String) -> VerificationError {
    .refused(reason, at: graph.nodes[stretch.exit].name)
  }

  private struct Activation {
    let node: Int
    let variable: Int
    let slopes: (Double, Double)
    let form: LinearForm
  }

  // MARK: forms

  private func variables() throws(VerificationError) -> (
    activations: [Activation], exit: LinearForm
  ) {
    let first = stretch.entry.map { $0 + 1 } ?? 0
    guard stretch.exit >= first else { throw refused("the stretch ends before it starts") }
    // What the exit depends on, back to the entry.
    var isNeeded = [Bool](repeating: false, count: stretch.exit + 1)
    isNeeded[stretch.exit] = true
    for index in stride(from: stretch.exit, through: first, by: -1) where isNeeded[index] {
      for source in graph.nodes[index].inputs where source != stretch.entry {
        guard let source, source >= first else {
          throw refused("a path to the end of the stretch does not lead through its start")
        }
        isNeeded[source] = true
      }
    }
    let entryForm = LinearForm(blocks: [0: .identity(graph.count(stretch.entry))])
    var forms: [Int: LinearForm] = [:]
    var activations: [Activation] = []
    var unused = Set(stretch.multipliers.keys)
    for index in first...stretch.exit where isNeeded[index] {
      let node = graph.nodes[index]
      let operands = node.inputs.map { $0 == stretch.entry ? entryForm : forms[$0!]! }
      switch node.operation {
      case .linear(let linear): forms[index] = try image(of: operands[0], through: linear, node)
      case .weightedSum(let coefficients):
        var sum: LinearForm?
        for (coefficient, operand) in zip(coefficients, operands) {
          let factors = [Double](repeating: coefficient, count: node.count)
          let term = operand.mapped { $0.scalingRows(factors) }
          sum = sum?.adding(term) ?? term
        }
        forms[index] = sum
      case .elementwise(let lower, let upper) where lower == upper:
        let factors = [Double](repeating: lower, count: node.count)
        forms[index] = operands[0].mapped { $0.scalingRows(factors) }
      case .elementwise(let lower, let upper):
        guard stretch.multipliers[index] != nil else {
          throw .refused("a stretch has no multipliers for it", at: node.name)
        }
        unused.remove(index)
        let activation = Activation(
          node: index, variable: activations.count + 1, slopes: (lower, upper),
          form: operands[0])
        activations.append(activation)
        forms[index] = LinearForm(blocks: [activation.variable: .identity(node.count)])
      case .known, .stored, .unbounded:
        throw .refused("it cannot be part of a stretch", at: node.name)
      }
    }
    guard unused.isEmpty else { throw refused("the stretch has multipliers of other nodes") }
    return (activations, forms[stretch.exit]!)
  }

  private func image(
    of form: LinearForm, through linear: StatedOperator, _ node: StatedGraph.Node
  ) throws(VerificationError) -> LinearForm {
    switch linear {
    case .dense(let weight, let outputs, let inputs):
      let matrix = ExactMatrix(
        rows: outputs, columns: inputs,
        rowMajor: try weights.numbers(weight, shape: [outputs, inputs]))
      return form.mapped(matrix.applied)
    case .diagonal(let weight, let count):
      let numbers = try weights.numbers(weight, shape: [count])
      let size = node.count / count
      let factors = (0..<node.count).map { numbers[$0 / size] }
      return form.mapped { $0.scalingRows(factors) }
    case .scaling(1): return form
    case .scaling(let factor):
      let factors = [Double](repeating: factor, count: node.count)
      return form.mapped { $0.scalingRows(factors) }
    case .normalisation(let scale, let variance, let epsilon, let channels, let count):
      let (factors, radii) = try normalisation(scale, variance, epsilon, channels: channels)
      func spread(_ numbers: [Double]) -> [Double] {
        (0..<channels * count).map { numbers[$0 / count] }
      }
      return form.mapped { $0.scalingRows(spread(factors), radii: spread(radii)) }
    case .convolution, .separable:
      throw .refused("this version cannot check a stretch through it", at: node.name)
    }
  }

  /// scale/√(variance + ε) of each channel, and what each is off by: sum, root and quotient are
  /// rounded once, relative 0.5u + u + u and their squares.
  private func normalisation(
    _ scale: String?, _ variance: String, _ epsilon: Double, channels: Int
  ) throws(VerificationError) -> (factors: [Double], radii: [Double]) {
    let variances = try weights.numbers(variance, shape: [channels])
    var scales = [Double](repeating: 1, count: channels)
    if let scale { scales = try weights.numbers(scale, shape: [channels]) }
    var factors: [Double] = []
    for (a, v) in zip(scales, variances) {
      guard v >= 0, epsilon >= 0, v + epsilon > 0x1p-500, v + epsilon < 0x1p500 else {
        throw .refused("it holds a variance that is not positive", at: variance)
      }
      factors.append(a / (v + epsilon).squareRoot())
    }
    return (factors, factors.map { 4 * Arithmetic.u * $0.magnitude + 0x1p-1000 })
  }

  // MARK: the inequality

  private func isDefinite(
    _ activations: [Activation], _ exit: LinearForm
  ) throws(VerificationError) -> Bool {
    var inequality = StretchInequality(
      diagonals: [[Double](repeating: 1, count: graph.count(stretch.entry))]
        + activations.map { stretch.multipliers[$0.node]!.map { 2 * $0 } }
        + [[Double](repeating: stretch.square, count: graph.nodes[stretch.exit].count)])
    let last = activations.count + 1
    let sizes = inequality.matrix.sizes
    // All blocks that there could be.
    let forms = activations.map(\.form) + [exit]
    var entries = 0.0
    for (index, form) in forms.enumerated() {
      let rows = Double(sizes[index + 1])
      for variable in form.blocks.keys { entries += rows * (rows + 2 * Double(sizes[variable])) }
    }
    guard entries <= 0x1p28, inequality.matrix.order <= 1 << 17 else {
      throw refused("the stretch is too large to be checked")
    }
    for activation in activations {
      let lambda = stretch.multipliers[activation.node]!
      let (a, b) = activation.slopes
      let sum = a + b
      let sumError = ((a - (sum - (sum - a))) + (b - (sum - a))).magnitude
      for (variable, block) in activation.form.blocks where sum != 0 || sumError != 0 {
        // −(a + b)·Λ·C, at (activation, variable).
        var scaled = block.scalingRows(lambda)
        if sum != 1 {
          let factors = [Double](repeating: sum, count: block.rows)
          scaled = scaled.scalingRows(factors)
        }
        scaled.values = scaled.values.map { -$0 }
        if sumError != 0 {
          var radius = scaled.radius ?? [Double](repeating: 0, count: scaled.values.count)
          for place in radius.indices {
            radius[place] += 4 * Arithmetic.u * scaled.values[place].magnitude
          }
          scaled.radius = radius
        }
        inequality.add(scaled.dense, activation.variable, variable)
      }
      if a == 0 || b == 0 { continue }
      let blocks = activation.form.blocks.mapValues(\.dense)
      for (first, left) in blocks {
        for (second, right) in blocks where second <= first {
          inequality.add(gram(left, right, lambda, 2 * a * b), first, second)
        }
      }
    }
    for (variable, block) in exit.blocks { inequality.add(block.dense, last, variable) }
    return inequality.isAboveItsErrors
  }

  /// c·leftᵀ·Λ·right: sums of products in any order.
  private func gram(
    _ left: FormBlock, _ right: FormBlock, _ lambda: [Double], _ c: Double
  ) -> FormBlock {
    let n = lambda.count
    func rows(_ values: [Double]) -> [Double] {
      values.indices.map { values[$0] * lambda[$0 % n] }
    }
    let values = product(
      left.values, left.columns, rows(right.values), n, right.columns, transposingFirst: true
    ).map { $0 * c }
    // |c|·(|left|ᵀΛ·(weight·|right| + r) + rᵀΛ·(|right| + r))
    let weight = Double(n + 8) * Arithmetic.u * Arithmetic.slack
    let size = right.values.map(\.magnitude)
    var reach = size.map { $0 * weight + 0x1p-1000 }
    if let radius = right.radius { for i in reach.indices { reach[i] += radius[i] } }
    var errors = product(
      left.values.map(\.magnitude), left.columns, rows(reach), n, right.columns,
      transposingFirst: true)
    if let radius = left.radius {
      var whole = size
      if let radius = right.radius { for i in whole.indices { whole[i] += radius[i] } }
      let more = product(
        radius, left.columns, rows(whole), n, right.columns, transposingFirst: true)
      for i in errors.indices { errors[i] += more[i] }
    }
    return FormBlock(
      rows: left.columns, columns: right.columns, values: values,
      radius: errors.map { $0 * c.magnitude * (1 + 0x1p-10) })
  }
}
