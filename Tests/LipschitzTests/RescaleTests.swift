import Lipschitz
import Model
import Rounding
import Tensors
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

  /// The stored float32 numbers, in double.
  @Test(arguments: [0.3, 1, 100])
  func batchNormsRescaleMakesTheBoundTrueOfTheStoredTensors(_ bound: Double) throws {
    let linear = LinearOperator.normalisation(
      scale: "weight", variance: "running_var", epsilon: 1e-5, channels: 8, count: 4)
    let variance: [Float] = [0.01, 2, 0.3, 1, 0.5, 7, 0, 0.25]
    let weight: [Float] = [0.5, -3, 1, 0.25, -0.75, 2, 0.125, 1]
    func largest(_ weight: [Float]) -> Double {
      zip(weight, variance).map { abs(Double($0)) / (Double($1) + 1e-5).squareRoot() }.max()!
    }
    let rescaled = try certifiedRescale(
      weight: weight, of: linear, norm: .l2, bound: bound, tensor: { _ in variance })
    #expect(largest(rescaled) <= bound)
    if bound == 100 {
      #expect(rescaled == weight)
    } else {
      #expect(largest(rescaled) > bound * (1 - 1e-6))
    }
  }

  /// The stored float32 kernel, proved again at its stride and padding.
  @Test(arguments: [Norm.l1, .l2, .linf], [false, true])
  func aConvolutionsRescaleIsProvedOfTheOperator(_ norm: Norm, _ isTransposed: Bool) throws {
    let axis = WindowAxis(extent: 6, kernel: 3, stride: 2, low: 1, high: 1)
    let geometry = ConvolutionGeometry(inputs: 2, outputs: 3, groups: 1, axes: [axis, axis])
    let linear: LinearOperator =
      isTransposed
      ? .transposedConvolution(weight: "weight", geometry)
      : .convolution(weight: "weight", geometry)
    let weight = (0..<54).map { Float(($0 * 37 + 11) % 101 - 50) / 32 }
    let rescaled = try certifiedRescale(weight: weight, of: linear, norm: norm, bound: 0.75)
    let proved = try convolutionBound(
      rescaled, geometry, norm: norm, isTransposed: isTransposed)
    #expect(proved.upper.value <= 0.75)
    #expect(proved.upper.value > 0.7499)
    #expect(rescaled != weight)
  }
}
