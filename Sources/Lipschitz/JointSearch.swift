import COpenBLAS
import Glibc
import Model

/// Looks for multipliers of a joint bound; nothing here is trusted by a proof.
///
/// With A(λ) of `JointEvidence`, the smallest square for given λ is the largest eigenvalue of
/// C·A(λ)⁻¹·Cᵀ, a convex function of λ (A is affine in λ). What precedes the stretch's root is one
/// matrix M; only M·Mᵀ matters, so variable 0 has no more elements than the root.
struct JointSearch {
  let maps: JointMaps
  /// Multiplications of one evaluation, known after the first.
  private(set) var work = 0.0

  init?(_ weights: NetworkWeights, _ stretch: JointStretch, _ matrices: [Int: JointWeight]) {
    let network = weights.network
    let elements = network.shape(stretch.entry).reduce(1, *)
    var start = LinearPart.identity(elements)
    if stretch.root != stretch.entry, case .node(let last) = stretch.root {
      let before = JointStretch(
        entry: stretch.entry, exit: stretch.root, nodes: stretch.nodes.filter { $0 <= last },
        root: stretch.root)
      let part = JointMaps(
        weights, before, matrices: matrices, from: (stretch.entry, start), withRadii: false
      ).exit[0]
      guard let matrix = part?.matrix else { return nil }
      start = .full(matrix)
      if matrix.rows < matrix.columns {
        guard let root = Self.root(of: matrix) else { return nil }
        start = .full(root)
      }
    }
    maps = JointMaps(
      weights, stretch, matrices: matrices, from: (stretch.root, start), withRadii: false)
  }

  /// L lower triangular with L·Lᵀ ≈ M·Mᵀ.
  private static func root(of matrix: DoubleMatrix) -> DoubleMatrix? {
    let n = matrix.rows
    var gram = DoubleMatrix(rows: n, columns: n)
    gram.addGram(matrix, factor: 1)
    let trace = (0..<n).reduce(0) { $0 + gram.values[$1 * n + $1] }
    guard trace > 0, trace.isFinite else { return nil }
    // Weights without full rank still have a root.
    for index in 0..<n { gram.values[index * n + index] += trace * 1e-15 }
    let info = gram.values.withUnsafeMutableBufferPointer {
      openblas_potrf(Int32(n), $0.baseAddress!, Int32(n))
    }
    guard info == 0 else { return nil }
    for column in 0..<n { for row in 0..<column { gram.values[column * n + row] = 0 } }
    return gram
  }

  // MARK: closed form

  /// The multipliers of ECLipsE-Fast (Xu, Sivaranjani 2024), carried to any graph and any slopes:
  /// with βₖ = λmax(Cₖ·A⁻¹·Cₖᵀ) for the A of the activations before, λₖ = 1/((b − a)²·βₖ) everywhere.
  ///
  /// Half the value below which the Schur complement 2λ − (a + b)²λ²·B is positive, where
  /// B = (Bₖ⁻¹ + 2abλ)⁻¹ and Bₖ = Cₖ·A⁻¹·Cₖᵀ.
  func closedForm() -> [[Double]]? {
    var multipliers: [[Double]] = []
    var factor: BlockFactor?
    for (index, activation) in maps.activations.enumerated() {
      // A without the activations from here on; grown row by row while it can be.
      if factor == nil {
        factor = JointInequality(
          maps.prefix(index), multipliers: multipliers, withRadii: false).factor()
      }
      guard var known = factor else { return nil }
      let row = known.eliminated(activation.argument.mapValues(\.matrix))
      let zero = DoubleMatrix(rows: activation.count, columns: activation.count)
      let gram = known.complement(zero, row)  // −B
      let top = Self.topEigenpairs(gram, negated: true, count: 1)
      guard let beta = top?.values.last, beta.isFinite else { return nil }
      let (a, b) = (activation.slopes.lower, activation.slopes.upper)
      let lambda = beta > 0 ? 1 / ((b - a) * (b - a) * beta) : 1
      multipliers.append(.init(repeating: lambda, count: activation.count))
      if a * b != 0 {
        factor = nil
        continue
      }
      let cross = -(a + b) * lambda
      let scaled = row.mapValues { block in
        DoubleMatrix(
          rows: block.rows, columns: block.columns, values: block.values.map { $0 * cross })
      }
      var schur = DoubleMatrix(
        rows: gram.rows, columns: gram.columns, values: gram.values.map { $0 * cross * cross })
      for place in 0..<schur.rows { schur.values[place * schur.rows + place] += 2 * lambda }
      guard known.append(scaled, complement: schur) else { return nil }
      factor = known
    }
    return multipliers
  }

  // MARK: value and gradient

  struct Evaluation {
    /// λmax(C·A⁻¹·Cᵀ)
    var square: Double
    /// d log(square) / d log λ, of a smooth maximum.
    var gradient: [[Double]]
  }

  /// The square of given multipliers; nil where A is not positive definite.
  func square(_ multipliers: [[Double]]) -> Double? {
    guard var factor = JointInequality(maps, multipliers: multipliers, withRadii: false).factor()
    else { return nil }
    let row = factor.eliminated(maps.exit.mapValues(\.matrix))
    let gram = factor.complement(DoubleMatrix(rows: maps.exitCount, columns: maps.exitCount), row)
    return Self.topEigenpairs(gram, negated: true, count: 1)?.values.last
  }

  /// - Parameter temperature: of the soft maximum over the top eigenvalues, relative.
  mutating func evaluate(_ multipliers: [[Double]], temperature: Double) -> Evaluation? {
    guard var factor = JointInequality(maps, multipliers: multipliers, withRadii: false).factor()
    else { return nil }
    let row = factor.eliminated(maps.exit.mapValues(\.matrix))
    let zero = DoubleMatrix(rows: maps.exitCount, columns: maps.exitCount)
    let gram = factor.complement(zero, row)
    work = factor.work
    guard let top = Self.topEigenpairs(gram, negated: true, count: min(maps.exitCount, 12)),
      let square = top.values.last, square > 0, square.isFinite
    else { return nil }
    // Weighted eigenvectors as rows: Yᵀ·X, then back through the factor.
    var weights = top.values.map { exp(($0 - square) / (temperature * square)) }
    let total = weights.reduce(0, +)
    weights = weights.map { $0 / total }
    let kept = weights.indices.filter { weights[$0] > 1e-6 }
    var y = DoubleMatrix(rows: maps.exitCount, columns: kept.count)
    for (column, source) in kept.enumerated() {
      let factor = weights[source].squareRoot()
      for index in 0..<maps.exitCount {
        y.values[column * maps.exitCount + index] =
          factor * top.vectors[source * maps.exitCount + index]
      }
    }
    let counts = [maps.entryCount] + maps.activations.map(\.count)
    let sides = counts.indices.map { variable in
      var side = DoubleMatrix(rows: kept.count, columns: counts[variable])
      if let block = row[variable] { side.add(y, transposed: true, times: block) }
      return side
    }
    let w = factor.solved(sides)
    var gradient: [[Double]] = []
    for (index, activation) in maps.activations.enumerated() {
      var u = DoubleMatrix(rows: kept.count, columns: activation.count)
      for variable in activation.argument.keys.sorted() {
        u.add(w[variable], times: activation.argument[variable]!.matrix, transposing: true)
      }
      let z = w[index + 1]
      let (a, b) = (activation.slopes.lower, activation.slopes.upper)
      gradient.append((0..<activation.count).map { element in
        var sum = 0.0
        for place in element * kept.count..<(element + 1) * kept.count {
          sum += (z.values[place] - a * u.values[place]) * (z.values[place] - b * u.values[place])
        }
        return -2 * sum * multipliers[index][element] / square
      })
    }
    return Evaluation(square: square, gradient: gradient)
  }

  /// The largest eigenvalues, ascending, of the symmetric matrix with this lower triangle.
  private static func topEigenpairs(
    _ matrix: DoubleMatrix, negated: Bool, count: Int
  ) -> (values: [Double], vectors: [Double])? {
    let n = matrix.rows
    guard n > 0 else { return nil }
    // The library reads the upper triangle.
    var upper = DoubleMatrix(rows: n, columns: n)
    for column in 0..<n {
      for row in column..<n {
        let value = matrix.values[column * n + row]
        guard value.isFinite else { return nil }
        upper.values[row * n + column] = negated ? -value : value
      }
    }
    var values = [Double](repeating: 0, count: count)
    var vectors = [Double](repeating: 0, count: count * n)
    let info = openblas_top_eigenpairs(
      Int32(n), Int32(count), &upper.values, Int32(n), &values, &vectors)
    return info == 0 ? (values, vectors) : nil
  }

  // MARK: descent

  /// Adam on log λ with steps that are halved where they leave the feasible set.
  mutating func descend(from start: [[Double]], steps: Int) -> [[Double]] {
    var place = start.map { $0.map { log($0) } }
    func multipliers(_ place: [[Double]]) -> [[Double]] { place.map { $0.map { exp($0) } } }
    let (first, last) = (0.05, 0.001)
    guard var current = evaluate(start, temperature: first) else { return start }
    var best = (square: current.square, multipliers: start)
    var mean = place.map { $0.map { _ in 0.0 } }
    var spread = mean
    for step in 0..<steps {
      let progress = Double(step) / Double(steps)
      let rate = 0.15 * (1 - 0.9 * progress)
      let (fade, smooth) = (1 - pow(0.9, Double(step + 1)), 1 - pow(0.99, Double(step + 1)))
      var direction = mean
      for k in place.indices {
        for i in place[k].indices {
          let g = current.gradient[k][i]
          mean[k][i] = 0.9 * mean[k][i] + 0.1 * g
          spread[k][i] = 0.99 * spread[k][i] + 0.01 * g * g
          direction[k][i] =
            rate * (mean[k][i] / fade) / ((spread[k][i] / smooth).squareRoot() + 1e-10)
        }
      }
      let temperature = first * pow(last / first, progress)
      var length = 1.0
      for _ in 0..<12 {
        let next = zip(place, direction).map { zip($0, $1).map { $0 - length * $1 } }
        let candidate = multipliers(next)
        if let evaluation = evaluate(candidate, temperature: temperature),
          evaluation.square < 1.1 * current.square
        {
          (place, current) = (next, evaluation)
          if evaluation.square < best.square { best = (evaluation.square, candidate) }
          break
        }
        length /= 2
      }
    }
    return best.multipliers
  }
}
