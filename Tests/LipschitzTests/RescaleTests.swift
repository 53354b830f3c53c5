import Lipschitz
import Model
import Rounding
import Testing

@Suite struct RescaleTests {
  @Test(arguments: MatrixFamily.all) func rescaledWeightsAreProvedToObeyTheBound(
    _ family: MatrixFamily
  ) throws {
    var random = TestRandom(5)
    for round in 0..<30 {
      let (rows, columns) = (1 + random.below(9), 1 + random.below(9))
      let w = family.matrix(rows, columns, &random)
      let bound = [1, 0.5, 3, 0.1, 1e-3, 1e30][round % 6]
      for norm in Norm.allCases {
        let before = try denseBound(w, rows: rows, columns: columns, norm: norm).upper.value
        let scaled = try certifiedRescale(
          weight: w, rows: rows, columns: columns, norm: norm, bound: bound)
        let after = try denseBound(scaled, rows: rows, columns: columns, norm: norm).upper.value
        #expect(after <= bound)
        if before <= bound {
          #expect(scaled == w, "weights that already obey are left alone")
        } else if before < 1e35, bound > 1e-30 {
          #expect(after >= bound * (1 - 1e-5), "\(family.name): the norm is not given away")
        }
      }
    }
  }

  @Test func boundZeroLeavesOnlyZeroWeights() throws {
    let scaled = try certifiedRescale(
      weight: [1, -2, 3, 4], rows: 2, columns: 2, norm: .l2, bound: 0)
    #expect(scaled.allSatisfy { $0 == 0 })
  }

  @Test func aDiagonalIsRescaledToo() throws {
    let linear = LinearOperator.diagonal(weight: "scale", count: 3)
    let scaled = try certifiedRescale(weight: [1, -4, 2], of: linear, norm: .l1, bound: 1)
    #expect(scaled.map(\.magnitude).max()! <= 1)
    #expect(scaled[1] < -0.9999)
  }

  @Test func weightsThatAreNotFiniteAreRefused() {
    #expect(throws: ProofError.self) {
      try certifiedRescale(weight: [1, .nan], rows: 1, columns: 2, norm: .l2, bound: 1)
    }
  }
}
