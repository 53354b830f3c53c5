import Glibc
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
/// P's entries are doubles with known errors; SPS, S a diagonal of powers of two, is shown to be
/// above them (`SymmetricMatrix.defect`).
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
      case .known, .scaled, .unbounded:
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
    case .convolution, .separable, .normalisation:
      throw .refused("this version cannot check a stretch through it", at: node.name)
    }
  }

  // MARK: the inequality

  private func isDefinite(
    _ activations: [Activation], _ exit: LinearForm
  ) throws(VerificationError) -> Bool {
    var offsets = [0]
    for count in [graph.count(stretch.entry)] + activations.map({ graph.nodes[$0.node].count })
      + [graph.nodes[stretch.exit].count]
    { offsets.append(offsets.last! + count) }
    let last = activations.count + 1
    let order = offsets[last + 1]
    guard order <= 20_000 else { throw refused("the stretch is too large to be checked") }
    // P in the upper triangle of −M, errors summed by row; a scaled matrix needs both at once.
    let matrix = try SymmetricMatrix(order: order)
    let p = matrix.entries
    for index in 0..<order * order { p[index] = 0 }
    var errors: [Int: [Double]] = [:]
    for index in 0..<offsets[1] { p[index * (order + 1)] = 1 }
    for index in offsets[last]..<order { p[index * (order + 1)] = stretch.square }

    /// Adds a block at (row variable, column variable), the row's not after the column's.
    func add(
      _ block: FormBlock, _ row: Int, _ column: Int, transposed: Bool
    ) {
      let (rows, columns) = transposed ? (block.columns, block.rows) : (block.rows, block.columns)
      var radius = block.radius
      for j in 0..<columns {
        for i in 0..<rows {
          let source = transposed ? i * block.rows + j : j * block.rows + i
          let place = (offsets[column] + j) * order + offsets[row] + i
          let (a, b) = (p[place], block.values[source])
          let sum = a + b
          if a != 0 {
            let error = Arithmetic.u * sum.magnitude * Arithmetic.slack
            if radius == nil { radius = [Double](repeating: 0, count: block.values.count) }
            radius![source] += error
          }
          p[place] = sum
        }
      }
      guard let radius else { return }
      let key = row * (last + 1) + column
      var total = errors[key] ?? [Double](repeating: 0, count: rows * columns)
      for j in 0..<columns {
        for i in 0..<rows {
          total[j * rows + i] += radius[transposed ? i * block.rows + j : j * block.rows + i]
        }
      }
      errors[key] = total
    }

    for activation in activations {
      let lambda = stretch.multipliers[activation.node]!
      let (a, b) = activation.slopes
      for index in lambda.indices {
        p[(offsets[activation.variable] + index) * (order + 1)] += 2 * lambda[index]
      }
      let sum = a + b
      let sumError = ((a - (sum - (sum - a))) + (b - (sum - a))).magnitude
      for (variable, block) in activation.form.blocks where sum != 0 || sumError != 0 {
        // −(a + b)·Λ·C, at (variable, activation).
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
        add(scaled, variable, activation.variable, transposed: true)
      }
      if a == 0 || b == 0 { continue }
      for (first, left) in activation.form.blocks {
        for (second, right) in activation.form.blocks where first <= second {
          add(gram(left, right, lambda, 2 * a * b), first, second, transposed: false)
        }
      }
    }
    for (variable, block) in exit.blocks { add(block, variable, last, transposed: true) }
    return try isAboveItsErrors(matrix, offsets, errors, variables: last + 1)
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

  /// Whether P with any errors in the stated ranges is positive definite.
  private func isAboveItsErrors(
    _ matrix: SymmetricMatrix, _ offsets: [Int], _ errors: [Int: [Double]], variables: Int
  ) throws(VerificationError) -> Bool {
    let order = matrix.order
    let p = matrix.entries
    var scales: [Double] = []
    for index in 0..<order {
      let entry = p[index * (order + 1)]
      guard entry > 0x1p-500, entry < 0x1p500 else { return false }
      scales.append(
        Double(sign: .plus, exponent: -Int((log2(entry) / 2).rounded()), significand: 1))
    }
    // ‖SES‖ ≤ the largest row sum.
    var sums = [Double](repeating: 0, count: order)
    for (key, radius) in errors {
      let (row, column) = (key / variables, key % variables)
      let rows = offsets[row + 1] - offsets[row]
      for place in radius.indices {
        let (i, j) = (offsets[row] + place % rows, offsets[column] + place / rows)
        let size = radius[place] * scales[i] * scales[j]
        sums[i] += size
        if row != column { sums[j] += size }
      }
    }
    let error = (sums.max() ?? 0) * (1 + 0x1p-10)
    // P is symmetric within diagonal blocks; their upper triangle suffices.
    var trace = 0.0
    for column in 0..<order {
      for row in 0..<column { p[column * order + row] *= -scales[row] * scales[column] }
      matrix.diagonal[column] =
        p[column * (order + 1)] * scales[column] * scales[column]
      trace += matrix.diagonal[column]
    }
    let rounding = Arithmetic.u * trace
    for factor in [2.0, 8, 64] {
      let copy = try SymmetricMatrix(order: order)
      memcpy(copy.entries, p, order * order * MemoryLayout<Double>.stride)
      let shift = error + factor * Double(order + 8) * rounding
      for index in 0..<order {
        copy.diagonal[index] = (matrix.diagonal[index] - shift) * (1 - 0x1p-52)
        guard copy.diagonal[index] > 0 else { return false }
      }
      guard let defect = copy.defect() else { return false }
      // SPS + SES ≥ M + shift − defect − error, M within u of what was subtracted, rounded down.
      if (defect + error) * (1 + 0x1p-50) < shift { return true }
    }
    return false
  }
}
