import ExactDefiniteness
import Glibc
import Model
import Rounding
import Testing

@testable import Lipschitz

@Suite struct SeparableTests {
  /// Windows of `kernel` with their mean, over what of them is inside.
  private func averages(_ n: Int, kernel: Int, stride: Int, padding: Int, counts: Bool) -> AxisMap {
    var rows: [AxisMap.Row] = []
    for start in positions(-padding, n + padding - kernel, stride) {
      let inside = (start..<start + kernel).filter { (0..<n).contains($0) }
      rows.append(.init(inside, over: counts ? kernel : inside.count))
    }
    return AxisMap(inputs: n, rows: rows)
  }
  private func positions(_ from: Int, _ to: Int, _ step: Int) -> [Int] {
    Array(stride(from: from, through: to, by: step))
  }

  @Test func disjointWindowsAndCopiesHaveTheirExactNorms() throws {
    let halves = averages(8, kernel: 2, stride: 2, padding: 0, counts: true)
    let pool = try separableBound([halves, halves], norm: .l2)
    #expect(pool.upper.value >= 0.5 && pool.upper.value <= 0.5 * (1 + 1e-15))
    #expect(try separableBound([halves, halves], norm: .l1).upper.value == 0.25)
    #expect(try separableBound([halves, halves], norm: .linf).upper.value == 1)
    // Every element three times.
    let copies = AxisMap(inputs: 4, rows: (0..<12).map { .init([$0 / 3]) })
    let root = try copies.bound(.l2)
    #expect(root.upper.value >= 3.0.squareRoot() && root.upper.value <= 3.0.squareRoot().nextUp)
    #expect(try copies.bound(.l1).upper.value == 3)
    #expect(try copies.bound(.linf).upper.value == 1)
  }

  /// Average pooling 3 × 3 with padding 1 on 32 × 32. With the padding counted the matrix of an
  /// axis is tridiagonal of thirds, with the eigenvalue (1 + 2 cos(π/33))/3; without, the borders
  /// weigh more, and the norm exceeds 1.
  @Test(arguments: [true, false])
  func overlappingWindowsAgreeWithTheEigenvalues(_ counts: Bool) throws {
    let axis = averages(32, kernel: 3, stride: 1, padding: 1, counts: counts)
    let bound = try separableBound([axis, axis], norm: .l2)
    let eigenvalue = (1 + 2 * cos(Double.pi / 33)) / 3
    if counts {
      #expect((bound.upper.value - eigenvalue * eigenvalue).magnitude < 1e-9)
    } else {
      #expect(bound.lower!.value > 1.0046 && bound.upper.value < 1.0047)
    }
    #expect(bound.lower!.value <= bound.upper.value)
    #expect(bound.lower!.value >= bound.upper.value * (1 - 1e-6))
  }

  /// Random sparse matrices of fractions with power-of-two divisors, which floats hold exactly.
  @Test func randomMatricesAreBoundedFromBothSides() throws {
    var random = TestRandom(31)
    for _ in 0..<600 {
      let (rows, columns) = (1 + random.below(8), 1 + random.below(8))
      let axis = AxisMap(inputs: columns, rows: (0..<rows).map { _ in
        let count = random.below(5)
        return .init(
          columns: (0..<count).map { _ in random.below(columns) },
          numerators: (0..<count).map { _ in random.below(15) - 5 }, divisor: 1 << random.below(4))
      })
      var entries = [Float](repeating: 0, count: rows * columns)
      for (index, row) in axis.rows.enumerated() {
        for (column, numerator) in zip(row.columns, row.numerators) {
          entries[index * columns + column] += Float(numerator) / Float(row.divisor)
        }
      }
      let (m, n) = (Int32(rows), Int32(columns))
      let bound = try axis.bound(.l2)
      #expect(exact_definiteness(m, n, entries, bound.upper.value) >= 0)
      if let lower = bound.lower { #expect(exact_definiteness(m, n, entries, lower.value) <= 0) }
      if entries.contains(where: { $0 != 0 }) {
        #expect(exact_definiteness(m, n, entries, bound.upper.value * (1 - 1e-6)) == -1)
      }
      for norm in [Norm.l1, .linf] {
        let bound = try axis.bound(norm)
        let dense = try denseBound(entries, rows: rows, columns: columns, norm: norm)
        #expect(bound.upper.value >= dense.lower!.value)
        #expect(bound.upper.value <= dense.upper.value * (1 + 1e-14))
      }
    }
  }

  @Test func normalisationIsTheLargestFactor() throws {
    let bound = try normalisationBound(
      scale: [1, -3, 2], variance: [0.25, 9, 0.0625], epsilon: 0)
    #expect(bound.upper.value == 8 && bound.lower!.value == 8)
    let rounded = try normalisationBound(scale: [0.1], variance: [0.3], epsilon: 1e-5)
    #expect(rounded.upper.value > rounded.lower!.value)
    #expect(rounded.upper.value <= rounded.lower!.value * (1 + 1e-15))
    #expect(try normalisationBound(scale: nil, variance: [0], epsilon: 0.25).upper.value == 2)
    for (variance, epsilon) in [(-0.5, 1.0), (0.0, 0.0)] {
      #expect(throws: ProofError.notPositive(
        tensor: "", index: [1], value: "\(variance)")) {
        try normalisationBound(scale: [1, 1], variance: [1, variance], epsilon: epsilon)
      }
    }
  }

  /// A declared bound of a convolution becomes a theorem.
  @Test func rescaledConvolutionsObeyTheBound() throws {
    var random = TestRandom(8)
    for round in 0..<60 {
      let sample = RandomConvolution(&random, limit: 24)
      let isTransposed = round & 1 == 1
      let linear: LinearOperator = isTransposed
        ? .transposedConvolution(weight: "weight", sample.geometry)
        : .convolution(weight: "weight", sample.geometry)
      let limit = [1, 0.5, 3][round % 3]
      for norm in Norm.allCases {
        let scaled = try certifiedRescale(
          weight: sample.weight, of: linear, norm: norm, bound: limit)
        let after = try convolutionBound(
          scaled, sample.geometry, norm: norm, isTransposed: isTransposed)
        #expect(after.upper.value <= limit, "\(sample.name)")
      }
    }
  }
}
