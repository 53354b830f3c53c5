import Model
import Rounding
import Tensors
import Testing

/// The constant from the operation that the layer states, with the run's weights.
func constant(of node: LayerNode, _ norm: Norm, _ run: LayerRun) throws -> Double {
  switch node.operation {
  case .elementwise(let slopes): return max(abs(slopes.lower), abs(slopes.upper))
  case .known(let constants): return constants[norm].value
  case .linear(.scaling(let factor)): return abs(factor)
  case .linear(.diagonal(let weight, let count)):
    let s = try #require(run.state[node.tensorName(weight)])
    #expect(s.count == count)
    return s.map(abs).max()!
  case .linear(.dense(let weight, let outputs, let inputs)):
    let w = try #require(run.state[node.tensorName(weight)])
    #expect(w.count == outputs * inputs)
    return norm.operatorNorm(w, outputs, inputs)
  case .linear(let linear):
    let matrix = operatorMatrix(linear) { run.state[node.tensorName($0)]! }
    return norm.operatorNorm(matrix, linear.outputCount, linear.inputCount)
  case .stored(let constants):
    return try constants[norm].value { step in
      switch step {
      case .largest(let weight):
        return UpperBound(
          proved: try #require(run.state[node.tensorName(weight)]).map(abs).max()!)
      case .norm(let matrix, let norm):
        let w = try #require(run.state[node.tensorName(matrix.weight)])
        #expect(w.count == matrix.height * matrix.columns)
        let rows = Array(w[matrix.rows.lowerBound * matrix.columns..<matrix.rows.upperBound
          * matrix.columns])
        return UpperBound(proved: norm.operatorNorm(rows, matrix.rows.count, matrix.columns))
      default: return .unknown
      }
    }.value
  case .weightedSum(let coefficients):
    // Of one input: divided by what the copies are multiplied with.
    let copies = [Double](repeating: 1, count: coefficients.count)
    return abs(coefficients.reduce(0, +)) / norm.length(copies)
  case .unbounded:
    Issue.record("\(node.kind) is not a plain layer")
    return 0
  }
}

extension Norm {
  func length(_ x: [Double]) -> Double {
    switch self {
    case .l1: x.reduce(0) { $0 + abs($1) }
    case .l2: x.reduce(0) { $0 + $1 * $1 }.squareRoot()
    case .linf: x.reduce(0) { max($0, abs($1)) }
    }
  }

  /// A vector c with ⟨c, y⟩ = ‖y‖ and dual norm 1 (up to a factor).
  func dual(_ y: [Double]) -> [Double] {
    switch self {
    case .l1: y.map { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    case .l2:
      { let length = length(y); return length == 0 ? y : y.map { $0 / length } }()
    case .linf: spike(y)
    }
  }

  /// The unit vector of this norm, up to a factor, along which ⟨g, ·⟩ grows fastest.
  func steepest(_ g: [Double]) -> [Double] {
    switch self {
    case .l1: spike(g)
    case .l2: g
    case .linf: g.map { $0 >= 0 ? 1 : -1 }
    }
  }

  private func spike(_ x: [Double]) -> [Double] {
    let largest = x.indices.max { abs(x[$0]) < abs(x[$1]) }
    return x.indices.map { $0 == largest ? (x[$0] >= 0 ? 1 : -1) : 0 }
  }

  /// By definition; the l2 norm by 5000 power iterations.
  func operatorNorm(_ w: [Double], _ rows: Int, _ columns: Int) -> Double {
    func row(_ i: Int) -> [Double] { Array(w[i * columns..<(i + 1) * columns]) }
    func column(_ j: Int) -> [Double] { (0..<rows).map { w[$0 * columns + j] } }
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    switch self {
    case .l1: return (0..<columns).map { length(column($0)) }.max()!
    case .linf: return (0..<rows).map { Norm.l1.length(row($0)) }.max()!
    case .l2:
      var (v, sigma) = ([Double](repeating: 1, count: columns), 0.0)
      for _ in 0..<5000 {
        let u = (0..<rows).map { dot(row($0), v) }
        v = (0..<columns).map { dot(column($0), u) }
        let size = length(v)
        v = v.map { $0 / size }
        sigma = length((0..<rows).map { dot(row($0), v) })
      }
      return sigma
    }
  }
}
