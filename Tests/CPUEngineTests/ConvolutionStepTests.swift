import CKernels
import ReferenceEngine
import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  @Suite struct ConvolutionStepTests {
    private static let arrangements: [Arrangement?] = [nil] + Arrangement.allCases

    private func follow(_ network: ConvolutionNetwork, _ plans: [PlanOptions]) throws {
      let steps = 4
      let comparison = network.comparison(steps: steps, seed: 3)
      let expected = try comparison.results(of: ReferenceEngine(), EngineOptions())
      for plan in plans {
        for threads in [1, 2] {
          let got = try comparison.results(
            of: CPUEngine(plan: plan), EngineOptions(threads: threads))
          for step in 0..<steps {
            let name = "\(step).train.loss"
            #expect(largestError(got[name]!, expected[name]!) < 3e-5, "\(name) \(plan)")
          }
          for name in expected.keys where name.hasPrefix("0.train.d ") {
            #expect(largestError(got[name]!, expected[name]!) < 4e-6, "\(name) \(plan)")
          }
        }
      }
    }

    private func plans(_ arrangement: Arrangement?) -> [PlanOptions] {
      everyPlan.map {
        var plan = $0
        plan.arrangement = arrangement
        return plan
      }
    }

    @Test(arguments: arrangements)
    func aNetworkFollowsTheReference(_ arrangement: Arrangement?) throws {
      try follow(ConvolutionNetwork(), plans(arrangement))
    }

    @Test(arguments: arrangements)
    func aNormalisedNetworkFollowsTheReference(_ arrangement: Arrangement?) throws {
      var network = ConvolutionNetwork()
      network.normalised = true
      try follow(network, plans(arrangement))
    }

    @Test(arguments: arrangements)
    func aGradientPenaltyFollowsTheReference(_ arrangement: Arrangement?) throws {
      var network = ConvolutionNetwork()
      network.penalty = true
      network.channels = 3
      network.layers = [.init(outputs: 16, kernel: 4, stride: 2), .init(outputs: 32, stride: 2)]
      try follow(network, plans(arrangement))
    }

    @Test func memoryPlansGiveEqualBits() throws {
      let comparison = ConvolutionNetwork(activation: .relu).comparison(steps: 4, seed: 1)
      for arrangement in Arrangement.allCases {
        let options = EngineOptions(threads: 2)
        let results = try [true, false].flatMap { inPlace in
          try [true, false].map { reuse in
            try comparison.results(
              of: CPUEngine(
                plan: PlanOptions(
                  inPlace: inPlace, reuse: reuse, adam: false, arrangement: arrangement)),
              options)
          }
        }
        #expect(results.allSatisfy { $0 == results[0] }, "\(arrangement)")
      }
    }

    @Test func equalRunsGiveEqualBits() throws {
      var network = ConvolutionNetwork(activation: .relu)
      network.batch = 16
      network.extent = 28
      let comparison = network.comparison(steps: 3, seed: 1)
      for threads in [1, 2] {
        let options = EngineOptions(threads: threads)
        let first = try comparison.results(of: CPUEngine(), options)
        let second = try comparison.results(of: CPUEngine(), options)
        #expect(first == second, "\(threads) threads")
      }
    }

    @Test func aStepAllocatesNothing() throws {
      let comparison = ConvolutionNetwork().comparison(steps: 1, seed: 1)
      let executable = try CPUEngine().compile(
        comparison.programs, options: EngineOptions(threads: 2))
      for (name, values) in comparison.inputs["train"]! {
        try executable.writeInput(name, of: "train", values)
      }
      for _ in 0..<3 { try executable.run("train") }
      // Other threads of the test process may allocate meanwhile: one quiet window is enough.
      var differences: [Int64] = []
      for _ in 0..<20 {
        let before = lgc_heap_bytes()
        for _ in 0..<20 { try executable.run("train") }
        differences.append(lgc_heap_bytes() - before)
      }
      #expect(differences.contains(0), "\(differences)")
    }

    /// What a network of 16 and 32 channels is computed with: code of oneDNN's own for every
    /// convolution, bias and rectification in it, no pass over memory but the masks' and those that
    /// turn the dense layer's tensor.
    @Test func aNetworkOfWholeBlocksStaysInBlocks() throws {
      var network = ConvolutionNetwork(activation: .relu)
      network.batch = 16
      let executable = try CPUEngine().compileForCPU(
        [network.program()], options: EngineOptions(threads: 2))
      let text = try executable.planText("train")
      let lines = text.split(separator: "\n").filter { $0.contains("convolution") }
      #expect(lines.count == 3 + 2 + 3, "\(text)")
      #expect(lines.allSatisfy { $0.contains("in blocks") && $0.contains("jit") }, "\(text)")
      #expect(lines.filter { $0.contains("+ bias, relu") }.count == 3, "\(text)")
      #expect(text.split(separator: "\n").filter { $0.contains("transpose") }.count == 2, "\(text)")
      #expect(!text.contains("broadcast"), "\(text)")
    }
  }
}
