import ExactDefiniteness
import Rounding
import Testing

@testable import Lipschitz

/// How σmax(W) stands to c, exactly: −1 above, 0 equal, 1 below.
private func compare(_ c: Double, with w: [Float], _ rows: Int, _ columns: Int) -> Int {
  let result = exact_definiteness(Int32(rows), Int32(columns), w, c)
  precondition(result != -2)
  return Int(result)
}

@Suite struct DenseSoundnessTests {
  @Test func theExactOracleKnowsSimpleNorms() {
    #expect(compare(3, with: [3], 1, 1) == 0)
    #expect(compare(3.0.nextUp, with: [3], 1, 1) == 1)
    #expect(compare(3.0.nextDown, with: [3], 1, 1) == -1)
    // 3-4-5, as a row and as a column.
    #expect(compare(5, with: [3, -4], 1, 2) == 0)
    #expect(compare(5.0.nextDown, with: [3, -4], 2, 1) == -1)
    // All ones: √(rows · columns).
    let ones = [Float](repeating: 1, count: 32)
    #expect(compare(4 * 2.0.squareRoot().nextUp, with: ones, 4, 8) == 1)
    #expect(compare(4, with: [Float](repeating: 1, count: 16), 4, 4) == 0)
    // Hadamard of order 8: all singular values √8.
    let hadamard = (0..<64).map { Float((($0 / 8) & ($0 % 8)).nonzeroBitCount & 1 == 0 ? 1 : -1) }
    #expect(compare(8.0.squareRoot().nextDown, with: hadamard, 8, 8) != compare(
      8.0.squareRoot().nextUp, with: hadamard, 8, 8))
    // diag(2⁻¹⁴⁹, 3·10³⁸): beyond the range of any float format squared.
    #expect(compare(Double(Float(3e38)), with: [0x1p-149, 0, 0, 3e38], 2, 2) == 0)
    #expect(exact_definiteness_of_square(4, 8, ones, 32) == 0)
    #expect(exact_definiteness_of_square(8, 4, ones, 32.0.nextDown) == -1)
    #expect(exact_definiteness_of_square(2, 2, [0x1p-149, 0, 0, 0], 0x1p-298) == 0)
    #expect(exact_definiteness_of_square(1, 1, [3], 9.0.nextUp) == 1)
    // Golden ratio: [[1, 1], [1, 0]].
    let golden = (1 + 5.0.squareRoot()) / 2
    #expect(compare(golden + 0x1p-50, with: [1, 1, 1, 0], 2, 2) == 1)
    #expect(compare(golden - 0x1p-50, with: [1, 1, 1, 0], 2, 2) == -1)
  }

  /// 10 080 matrices: never below the exact norm, never 10⁻⁶ above it; the lower bound never
  /// above it.
  @Test(arguments: MatrixFamily.all) func l2BoundIsSoundAndTight(_ family: MatrixFamily) throws {
    var random = TestRandom(family.name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    for index in 0..<280 {
      let (rows, columns) = switch index {
      case 0..<10: (1, 1 + index)
      case 10..<20: (index - 9, 1)
      default: (1 + random.below(8), 1 + random.below(index < 240 ? 8 : 14))
      }
      let w = family.matrix(rows, columns, &random)
      let bound = try denseBound(w, rows: rows, columns: columns, norm: .l2)
      let upper = bound.upper.value
      let lower = try #require(bound.lower).value
      let place = "\(family.name) \(index): \(rows)×\(columns)"
      #expect(compare(upper, with: w, rows, columns) >= 0, "upper, \(place)")
      #expect(compare(lower, with: w, rows, columns) <= 0, "lower, \(place)")
      if upper > 0 {
        #expect(compare(upper * (1 - 1e-6), with: w, rows, columns) == -1, "loose, \(place)")
        #expect(lower >= upper * (1 - 1e-6), "loose lower, \(place)")
      } else {
        #expect(w.allSatisfy { $0 == 0 })
      }
    }
  }

  /// Candidates just below λmax are accepted by Cholesky now and then; the bound computed from
  /// them must hold all the same.
  @Test func acceptedCandidatesBelowTheTruthStillGiveBounds() throws {
    var random = TestRandom(11)
    var accepted = 0
    var wouldBeWrong = 0
    for round in 0..<600 {
      let family = MatrixFamily.all[round % MatrixFamily.all.count]
      let (rows, columns) = (2 + random.below(7), 2 + random.below(7))
      let w = family.matrix(rows, columns, &random)
      let largest = w.map(\.magnitude).max()!
      if largest == 0 { continue }
      try w.withUnsafeBufferPointer { buffer in
        let proof = SpectralProof(
          Matrix(buffer, rows: rows, columns: columns), largest: Double(largest))
        try LinearAlgebra.open()
        let gram = try #require(Gram(of: proof))
        let lambda = gram.topEigenpair().value
        for step in 0..<8 {
          let t = lambda * (1 - Double(step) * 1.3e-16 * (step == 7 ? 1000 : 1))
          guard let factor = gram.factorise(shift: t) else { continue }
          accepted += 1
          let square = proof.provedSquare(shift: t, factor: factor, trace: gram.trace)
          let scale = Double(sign: .plus, exponent: 2 * proof.exponent, significand: 1)
          // U² itself: the square root's own rounding up must not be what saves it.
          let (m, n) = (Int32(rows), Int32(columns))
          #expect(
            exact_definiteness_of_square(m, n, w, square * scale) >= 0,
            "\(family.name), step \(step)")
          if exact_definiteness_of_square(m, n, w, t * scale) < 0 { wouldBeWrong += 1 }
        }
      }
    }
    // The hunt means something only if it met the dangerous case.
    #expect(accepted > 100)
    #expect(wouldBeWrong > 10)
  }

  @Test(arguments: [(100, 140), (150, 100), (301, 301), (320, 400)])
  func l2BoundOfLargerMatricesHoldsAgainstQuadruplePrecision(
    _ size: (rows: Int, columns: Int)
  ) throws {
    let (rows, columns) = size
    var random = TestRandom(UInt64(rows))
    for name in ["gaussian", "orthogonal", "ill-scaled rows", "ones and one ulp"] {
      let family = try #require(MatrixFamily.all.first { $0.name == name })
      // Scales far apart would overflow the oracle's power iteration in float64.
      let w = family.matrix(rows, columns, &random).map { abs($0) > 1e20 ? 1e20 : $0 }
      let bound = try denseBound(w, rows: rows, columns: columns, norm: .l2)
      let square = quadruple_rayleigh(Int32(rows), Int32(columns), w, 60)
      #expect(bound.upper.value * bound.upper.value >= square * (1 - 0x1p-51), "\(name)")
      #expect(bound.upper.value <= bound.lower!.value * (1 + 1e-7), "\(name)")
      if name == "gaussian" { #expect(bound.method == .cholesky) }
    }
  }

  @Test func doubleWeightsAreBoundedLikeFloats() throws {
    var random = TestRandom(3)
    for _ in 0..<50 {
      let w = MatrixFamily.all[0].matrix(6, 9, &random)
      let single = try denseBound(w, rows: 6, columns: 9, norm: .l2)
      let double = try denseBound(w.map(Double.init), rows: 6, columns: 9, norm: .l2)
      #expect(single == double)
    }
    let tiny = try denseBound([0x1p-1074, 0, 0, 0x1p-1074], rows: 2, columns: 2, norm: .l2)
    #expect(tiny.upper.value >= 0x1p-1074 && tiny.upper.value <= 0x1p-1073)
  }

  @Test func numbersThatAreNotFiniteAreErrorsWithTheirPlace() {
    for bad in [Float.nan, .infinity, -.infinity, .signalingNaN] {
      for index in [0, 5, 16, 22, 34] {
        var w = [Float](repeating: 0.5, count: 35)
        w[index] = bad
        for norm in Norm.allCases {
          do {
            _ = try denseBound(w, rows: 5, columns: 7, norm: norm)
            Issue.record("\(bad) was accepted")
          } catch {
            guard case .notFinite(_, let place, _) = error else {
              Issue.record("\(error)")
              continue
            }
            #expect(place == [index / 7, index % 7])
          }
        }
        #expect(throws: ProofError.self) { try diagonalBound(w) }
      }
    }
  }
}
