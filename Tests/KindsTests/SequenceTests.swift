import Glibc
import Model
import Tensors
import Testing

/// Layers over sequences against their definitions, written as plain loops over one sample.
@Suite struct SequenceTests {
  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// W·x with rows `rows` of a row-major matrix of `columns` columns.
  private func product(_ w: [Double], _ rows: Range<Int>, _ x: [Double]) -> [Double] {
    rows.map { row in x.indices.reduce(0) { $0 + w[row * x.count + $1] * x[$1] } }
  }

  private func run(
    _ layer: String, _ input: Shape
  ) throws -> (run: LayerRun, x: [Double], columns: [[Double]]) {
    let run = try LayerRun(
      try network(layerDocument(layer, input: input)), batch: 1, mode: .deployed)
    let x = normals(input, seed: 3)
    let columns = (0..<input[1]).map { t in (0..<input[0]).map { x[$0 * input[1] + t] } }
    return (run, x, columns)
  }

  private func tensor(_ run: LayerRun, _ name: String) -> [Double] {
    run.state[run.network.nodes[0].tensorName(name)]!
  }

  /// What input and state add to gate `gate` of `units` rows.
  private func gates(
    _ run: LayerRun, _ units: Int, _ gate: Int, _ x: [Double], _ h: [Double]
  ) -> (input: [Double], state: [Double]) {
    let rows = gate * units..<(gate + 1) * units
    func sum(_ weight: String, _ bias: String, _ x: [Double]) -> [Double] {
      zip(product(tensor(run, weight), rows, x), tensor(run, bias)[rows]).map(+)
    }
    return (sum("weight_ih_l0", "bias_ih_l0", x), sum("weight_hh_l0", "bias_hh_l0", h))
  }

  @Test func rnnIsItsRecursion() throws {
    let (run, x, columns) = try run("rnn: {units: 3, output: sequence}", [2, 4])
    var h = [0.0, 0, 0]
    var expected = [Double](repeating: 0, count: 12)
    for (t, column) in columns.enumerated() {
      let sums = gates(run, 3, 0, column, h)
      h = zip(sums.input, sums.state).map { tanh($0 + $1) }
      for unit in 0..<3 { expected[unit * 4 + t] = h[unit] }
    }
    #expect(distance(expected, try run.output(x)) < 1e-14)
  }

  @Test func gruIsItsRecursion() throws {
    let (run, x, columns) = try run("gru: {units: 3}", [2, 4])
    var h = [0.0, 0, 0]
    for column in columns {
      let (r, z, n) = (
        gates(run, 3, 0, column, h), gates(run, 3, 1, column, h), gates(run, 3, 2, column, h)
      )
      h = (0..<3).map { i in
        let reset = sigmoid(r.input[i] + r.state[i])
        let kept = sigmoid(z.input[i] + z.state[i])
        let new = tanh(n.input[i] + reset * n.state[i])
        return (1 - kept) * new + kept * h[i]
      }
    }
    #expect(distance(h, try run.output(x)) < 1e-14)
  }

  @Test func lstmIsItsRecursion() throws {
    let (run, x, columns) = try run("lstm: {units: 3}", [2, 4])
    var h = [0.0, 0, 0]
    var c = [0.0, 0, 0]
    for column in columns {
      let sums = (0..<4).map { gate -> [Double] in
        let parts = gates(run, 3, gate, column, h)
        return zip(parts.input, parts.state).map(+)
      }
      c = (0..<3).map {
        sigmoid(sums[1][$0]) * c[$0] + sigmoid(sums[0][$0]) * tanh(sums[2][$0])
      }
      h = (0..<3).map { sigmoid(sums[3][$0]) * tanh(c[$0]) }
    }
    #expect(distance(h, try run.output(x)) < 1e-14)
  }

  /// Scores of every pair of columns of one head, and the values, to the layer's result.
  private func attended(
    _ run: LayerRun, _ length: Int, _ d: Int, heads: Int,
    _ head: (Int) -> (scores: (Int, Int) -> Double, values: [[Double]])
  ) -> [Double] {
    var joined = [[Double]](repeating: [], count: length)
    for index in 0..<heads {
      let (scores, values) = head(index)
      for i in 0..<length {
        let weights = (0..<length).map { exp(scores(i, $0)) }
        let total = weights.reduce(0, +)
        joined[i] += (0..<d / heads).map { element in
          (0..<length).reduce(0) { $0 + weights[$1] / total * values[$1][element] }
        }
      }
    }
    var result = [Double](repeating: 0, count: d * length)
    for i in 0..<length {
      let y = product(tensor(run, "out_proj.weight"), 0..<d, joined[i])
      for row in 0..<d { result[row * length + i] = y[row] + tensor(run, "out_proj.bias")[row] }
    }
    return result
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  @Test(arguments: [false, true])
  func dotProductAttentionIsItsDefinition(_ isNormalised: Bool) throws {
    let (run, x, columns) = try run(
      "attention: {heads: 2, lipschitz_norm: \(isNormalised)}", [4, 3])
    let expected = attended(run, 3, 4, heads: 2) { head in
      func part(_ kind: Int) -> [[Double]] {
        let rows = kind * 4 + head * 2..<kind * 4 + head * 2 + 2
        return columns.map { column in
          zip(product(tensor(run, "in_proj_weight"), rows, column),
            tensor(run, "in_proj_bias")[rows]).map(+)
        }
      }
      let (q, k, v) = (part(0), part(1), part(2))
      func longest(_ x: [[Double]]) -> Double { x.map { dot($0, $0).squareRoot() }.max()! }
      let u = q.reduce(0) { $0 + dot($1, $1) }.squareRoot()
      let size = max(u * longest(k), u * longest(v), longest(k) * longest(v))
      let divisor = isNormalised ? size : 2.0.squareRoot()
      return ({ dot(q[$0], k[$1]) / divisor }, v)
    }
    #expect(distance(expected, try run.output(x)) < 1e-10)
  }

  @Test func l2AttentionIsItsDefinition() throws {
    let (run, x, columns) = try run("attention: {kind: l2, heads: 2}", [4, 3])
    let expected = attended(run, 3, 4, heads: 2) { head in
      let rows = head * 2..<head * 2 + 2
      let w = tensor(run, "query_weight")
      let z = columns.map { product(w, rows, $0) }
      let values = z.map { z -> [Double] in
        let back = (0..<4).map { column in
          (0..<2).reduce(0) { $0 + w[(head * 2 + $1) * 4 + column] * z[$1] } / 2.0.squareRoot()
        }
        return product(tensor(run, "value_weight"), rows, back)
      }
      return ({ i, j in
        -zip(z[i], z[j]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 2.0.squareRoot()
      }, values)
    }
    #expect(distance(expected, try run.output(x)) < 1e-13)
  }

  @Test func embeddingGivesRowsOfItsTableAndZerosOutsideOfIt() throws {
    let network = try network(layerDocument("embedding: {count: 3, features: 2}", input: [4]))
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    run.state["embedding_1.weight"] = [1, 2, 3, 4, 5, 6]
    #expect(try run.output([2, 0, 7, 1]) == [5, 1, 0, 3, 6, 2, 0, 4])
  }

  @Test func householderReflectsWhatLiesBehindItsPlane() throws {
    let network = try network(layerDocument("householder", input: [4]))
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    run.state["householder_1.weight"] = [3, 4, 0, 0]
    // v = (0.6, 0.8); the second group has no plane.
    let y = try run.output([-5, 0, -1, -2])
    #expect(distance([-1.4, 4.8, -1, -2], y) < 1e-15)
    #expect(try run.output([5, 0, 1, 2]) == [5, 0, 1, 2])
  }

  @Test func anSLLOfZerosIsTheIdentity() throws {
    let network = try network(layerDocument("sll: 2", input: [3]))
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    run.state = [
      "sll_1.weight": [0, 0, 0, 0, 0, 0], "sll_1.bias": [1, 1], "sll_1.log_scale": [0, 3],
    ]
    #expect(try run.output([1, -2, 3]) == [1, -2, 3])
  }

  /// A kernel of one tap is the matrix at every position; of more, T sums over all offsets.
  @Test func aConvolutionalSLLIsTheFlatOneAtEveryPosition() throws {
    let flat = try LayerRun(
      network(layerDocument("sll: 2", input: [3])), batch: 1, mode: .deployed)
    let picture = try LayerRun(
      network(layerDocument("sll: {units: 2, kernel: 1}", input: [3, 2])), batch: 1, mode: .deployed)
    let kernel = [0.5, -1, 2, 0.25, 1, -0.75]
    let rest = ["sll_1.bias": [0.5, -0.25], "sll_1.log_scale": [0.3, -0.2]]
    picture.state = rest.merging(["sll_1.weight": kernel]) { $1 }
    // [units, channels] is the flat weight's transpose.
    flat.state = rest.merging(["sll_1.weight": [0.5, 0.25, -1, 1, 2, -0.75]]) { $1 }
    let (a, b) = ([1.0, -2, 3], [0.5, 4, -1])
    let y = try picture.output(zip(a, b).flatMap { [$0, $1] })
    let expected = zip(try flat.output(a), try flat.output(b)).flatMap { [$0, $1] }
    #expect(distance(expected, y) < 1e-14)
  }

  /// One filter (1, 1) over one channel: |WᵀW| sums up to 1 + 2 + 1.
  @Test func theScaleOfAConvolutionalSLLSumsOverAllOffsets() throws {
    let run = try LayerRun(
      network(layerDocument("sll: {units: 1, kernel: 2}", input: [1, 3])), batch: 1, mode: .deployed)
    run.state = ["sll_1.weight": [1, 1], "sll_1.bias": [0], "sll_1.log_scale": [0.7]]
    // h = (x₁ + x₂, x₂ + x₃, x₃) of positive numbers, less 2/4 of its adjoint.
    #expect(distance([1 - 1.5, 2 - 4.5, 4 - 5], try run.output([1, 2, 4])) < 1e-14)
  }
}
