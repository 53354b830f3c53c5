import ExactDefiniteness
import Glibc
import Model
import Rounding
import Tensors
import Testing

@testable import Lipschitz

/// How often the tests below draw: 7 makes 11 200 operators at their real size; LGC_SOUNDNESS=70
/// draws ten times as many.
private let effort = getenv("LGC_SOUNDNESS").flatMap { Int(String(cString: $0)) } ?? 7

@Suite struct ConvolutionSoundnessTests {
  /// Never below the exact norm of the explicit matrix, never 10⁻⁶ above it; the lower bound never
  /// above it; the same for the transposed convolution.
  @Test(arguments: 0..<8) func l2BoundAtTheRealSizeIsSoundAndTight(_ part: Int) throws {
    var random = TestRandom(UInt64(100 + part))
    for _ in 0..<200 * effort {
      let sample = RandomConvolution(&random, limit: 16)
      guard let matrix = sample.matrix else { continue }
      let bound = try convolutionBound(sample.weight, sample.geometry, norm: .l2)
      let (m, n) = (Int32(matrix.rows), Int32(matrix.columns))
      let upper = bound.upper.value
      #expect(exact_definiteness(m, n, matrix.entries, upper) >= 0, "\(sample.name)")
      let lower = try #require(bound.lower).value
      #expect(exact_definiteness(m, n, matrix.entries, lower) <= 0, "lower of \(sample.name)")
      if matrix.entries.contains(where: { $0 != 0 }) {
        let below = upper * (1 - 1e-6)
        #expect(
          exact_definiteness(m, n, matrix.entries, below) == -1,
          "\(bound.method) loose: \(sample.name)")
      }
      let adjoint = try convolutionBound(
        sample.weight, sample.geometry, norm: .l2, isTransposed: true)
      #expect(adjoint.upper == bound.upper)
    }
  }

  /// Each way to prove on its own, whether it would have been chosen or not.
  @Test(arguments: 0..<4) func everyWayToProveL2IsSound(_ part: Int) throws {
    var random = TestRandom(UInt64(900 + part))
    for _ in 0..<150 * effort {
      let sample = RandomConvolution(&random, limit: 14)
      guard let matrix = sample.matrix, sample.weight.contains(where: { $0 != 0 })
      else { continue }
      let (m, n) = (Int32(matrix.rows), Int32(matrix.columns))
      let proof = ConvolutionProof(sample.weight, ConvolutionMap(sample.geometry))
      for way in [ConvolutionProof<Float>.Way.torus, .cover, .interpolation, .kernel, .banded] {
        let bound = try LinearAlgebra.withProofArithmetic { () throws(ProofError) in
          try proof.bound(way)
        }
        #expect(
          exact_definiteness(m, n, matrix.entries, bound.upper.value) >= 0,
          "\(bound.method) of \(sample.name)")
        if let lower = bound.lower {
          #expect(
            exact_definiteness(m, n, matrix.entries, lower.value) <= 0,
            "lower, \(bound.method) of \(sample.name)")
        }
      }
    }
  }

  /// L1 and L∞ between the exact sums' neighbours, for the convolution and its adjoint.
  @Test(arguments: 0..<4) func l1AndLinfAreTheExactSumsOfTheMatrix(_ part: Int) throws {
    var random = TestRandom(UInt64(500 + part))
    for _ in 0..<400 * effort {
      let sample = RandomConvolution(&random, limit: 60)
      guard let matrix = sample.matrix else { continue }
      for norm in [Norm.l1, .linf] {
        for isTransposed in [false, true] {
          let bound = try convolutionBound(
            sample.weight, sample.geometry, norm: norm, isTransposed: isTransposed)
          let overRows = (norm == .linf) != isTransposed
          let signs: (Double) -> [Int32] = { c in
            matrix.entries.withUnsafeBufferPointer { entries in
              overRows
                ? (0..<matrix.rows).map {
                  exact_sum_comparison(
                    Int32(matrix.columns), 1, entries.baseAddress! + $0 * matrix.columns, c)
                }
                : (0..<matrix.columns).map {
                  exact_sum_comparison(
                    Int32(matrix.rows), Int32(matrix.columns), entries.baseAddress! + $0, c)
                }
            }
          }
          #expect(signs(bound.upper.value).allSatisfy { $0 >= 0 }, "\(norm) of \(sample.name)")
          #expect(
            signs(bound.lower!.value).contains { $0 <= 0 }, "lower \(norm) of \(sample.name)")
          if bound.upper.value > 0x1p-900 {
            #expect(bound.lower!.value >= bound.upper.value * (1 - 1e-13), "\(sample.name)")
          }
        }
      }
    }
  }
}
