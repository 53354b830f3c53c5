import ReferenceEngine
import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  @Suite struct ElementwiseTests {
    /// Sizes around the vector width, the tile and the size from which loops are divided.
    static let counts = [1, 3, 15, 16, 17, 511, 512, 513, 40_003]

    /// Arguments that every function is asked for: its domain, both sides of its pieces, its ends.
    static let arguments: [Float] =
      [0, 1, -1, 0.5, -0.5, 0.625, -0.625, 4, -4, 88, -87, 20, -20, 1e-6, -1e-6, 100, -100, 1e6]
      + stride(from: Float(-12), through: 12, by: 0.0371)

    @Test(arguments: Unary.allCases)
    func unaryAgreesToAFewUnitsInTheLastPlace(operation: Unary) throws {
      let positive: Set<Unary> = [.log, .squareRoot, .reciprocalSquareRoot]
      let arguments = positive.contains(operation)
        ? Self.arguments.map(abs).filter { $0 > 0 }
        : operation == .reciprocal ? Self.arguments.filter { $0 != 0 } : Self.arguments
      let g = GraphBuilder()
      let y = g.unary(operation, g.input("x", [arguments.count]))
      let program = Program(name: "p", graph: g.graph, outputs: [.init("y", y)])
      var comparison = Comparison([program], runs: ["p"], seed: 1)
      comparison.inputs["p"]!["x"] = arguments
      let expected = try comparison.results(of: ReferenceEngine(), EngineOptions())["0.p.y"]!
      let got = try comparison.results(of: CPUEngine(), EngineOptions(threads: 1))["0.p.y"]!
      for (x, (a, b)) in zip(arguments, zip(got, expected)) {
        // Sine and cosine near their zeros, and logarithms near 1, are exact to the ulp of 1/4.
        let allowed = max(6 * b.ulp, 2 * Float(0.25).ulp, Float.leastNormalMagnitude)
        #expect(a == b || abs(a - b) <= allowed, "\(operation)(\(x)) = \(b), not \(a)")
      }
    }

    @Test(arguments: counts)
    func everyUnaryWorksAtEverySize(count: Int) throws {
      for (index, operation) in Unary.allCases.enumerated() {
        let g = GraphBuilder()
        let y = g.unary(operation, g.input("x", [count]))
        try Comparison(
          [Program(name: "p", graph: g.graph, outputs: [.init("y", y)])], runs: ["p"],
          seed: UInt64(index + 1), range: 0.1...3
        ).check()
      }
    }

    @Test(arguments: counts)
    func everyBinaryWorksAtEverySize(count: Int) throws {
      for (index, operation) in Binary.allCases.enumerated() {
        let g = GraphBuilder()
        let y = g.binary(operation, g.input("a", [count]), g.input("b", [count]))
        try Comparison(
          [Program(name: "p", graph: g.graph, outputs: [.init("y", y)])], runs: ["p"],
          seed: UInt64(index + 1), range: operation == .power ? 0.1...3 : -3...3
        ).check()
      }
    }

    @Test func powersOfNegativeNumbersFollowTheLibrary() throws {
      let g = GraphBuilder()
      let y = g.binary(.power, g.input("a", [4]), g.input("b", [4]))
      let program = Program(name: "p", graph: g.graph, outputs: [.init("y", y)])
      var comparison = Comparison([program], runs: ["p"], seed: 1)
      comparison.inputs["p"] = ["a": [-2, -2, 0, -1], "b": [3, -2, 2, 0.5]]
      let got = try comparison.results(of: CPUEngine(), EngineOptions())["0.p.y"]!
      #expect(got[0] == -8 && got[1] == 0.25 && got[2] == 0 && got[3].isNaN)
    }

    @Test func selectTakesAnyNonzeroConditionForTrue() throws {
      let g = GraphBuilder()
      let condition = g.input("c", [5])
      let y = g.select(condition, g.input("a", [5]), g.input("b", [5]))
      let program = Program(name: "p", graph: g.graph, outputs: [.init("y", y)])
      var comparison = Comparison([program], runs: ["p"], seed: 1)
      comparison.inputs["p"] = [
        "c": [0, 1, -1, 0.5, -0.0], "a": [1, 2, 3, 4, 5], "b": [-1, -2, -3, -4, -5],
      ]
      let got = try comparison.results(of: CPUEngine(), EngineOptions())["0.p.y"]!
      #expect(got == [-1, 2, 3, 4, -5])
    }

    @Test func overflowAndUnderflowReachTheirLimits() throws {
      let g = GraphBuilder()
      let x = g.input("x", [6])
      let outputs: [Program.Output] = [
        .init("exp", g.unary(.exp, x)), .init("tanh", g.unary(.tanh, x)),
        .init("sigmoid", g.unary(.sigmoid, x)), .init("softplus", g.unary(.softplus, x)),
        .init("erf", g.unary(.erf, x)),
      ]
      let program = Program(name: "p", graph: g.graph, outputs: outputs)
      var comparison = Comparison([program], runs: ["p"], seed: 1)
      comparison.inputs["p"]!["x"] = [-.infinity, .infinity, .nan, -200, 200, 88.5]
      comparison.tolerance = 1e-6
      try comparison.check()
    }
  }
}
