import ExactDefiniteness
import Lipschitz
import Rounding
import Testing

@Suite struct SumBoundTests {
  /// For each family: exact largest row and column sums lie between the two bounds, which are
  /// 10⁻¹² apart.
  @Test(arguments: MatrixFamily.all) func l1AndLinfBoundsAreSoundAndTight(
    _ family: MatrixFamily
  ) throws {
    var random = TestRandom(99)
    for _ in 0..<40 {
      let (rows, columns) = (1 + random.below(20), 1 + random.below(20))
      let w = family.matrix(rows, columns, &random)
      for norm in [Norm.l1, .linf] {
        let bound = try denseBound(w, rows: rows, columns: columns, norm: norm)
        // The sign of c − (sum of one row or column), for each of them.
        func signs(_ c: Double) -> [Int32] {
          w.withUnsafeBufferPointer { w in
            norm == .linf
              ? (0..<rows).map {
                exact_sum_comparison(Int32(columns), 1, w.baseAddress! + $0 * columns, c)
              }
              : (0..<columns).map {
                exact_sum_comparison(Int32(rows), Int32(columns), w.baseAddress! + $0, c)
              }
          }
        }
        #expect(signs(bound.upper.value).allSatisfy { $0 >= 0 }, "\(norm)")
        #expect(signs(bound.lower!.value).contains { $0 <= 0 }, "\(norm)")
        if bound.upper.value > 0x1p-900 {
          #expect(bound.lower!.value >= bound.upper.value * (1 - 1e-12))
        }
      }
    }
  }

  @Test func sumsWithoutRoundingAreExact() throws {
    let ones = [Float](repeating: 1, count: 12)
    #expect(try denseBound(ones, rows: 3, columns: 4, norm: .linf).upper.value == 4)
    #expect(try denseBound(ones, rows: 3, columns: 4, norm: .l1).upper.value == 3)
    let w: [Float] = [1, -2, 3, -4, 5, -6]
    #expect(try denseBound(w, rows: 2, columns: 3, norm: .linf).upper.value == 15)
    #expect(try denseBound(w, rows: 2, columns: 3, norm: .l1).upper.value == 9)
  }

  @Test func aDiagonalHasItsLargestEntryInEveryNorm() throws {
    let bound = try diagonalBound([0.5, -3.25, 2] as [Float])
    #expect(bound.upper.value == 3.25 && bound.lower!.value == 3.25)
    #expect(try diagonalBound([0, -0] as [Float]).upper == .zero)
  }
}
