import CKernels
import ReferenceEngine
import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  @Suite struct TrainingStepTests {
    /// Losses and gradients follow the reference. Parameters are not compared: g/√v turns the sign
    /// of a gradient near zero into a full step.
    private func follow(_ network: SmallNetwork, _ plans: [PlanOptions], seed: UInt64) throws {
      let steps = 5
      let comparison = network.comparison(steps: steps, seed: seed)
      let expected = try comparison.results(of: ReferenceEngine(), EngineOptions())
      for plan in plans {
        for threads in [1, 2] {
          let got = try comparison.results(
            of: CPUEngine(plan: plan), EngineOptions(threads: threads))
          for step in 0..<steps {
            let name = "\(step).train.loss"
            #expect(largestError(got[name]!, expected[name]!) < 2e-5, "\(name) \(plan)")
          }
          for name in expected.keys where name.hasPrefix("0.train.d ") {
            #expect(largestError(got[name]!, expected[name]!) < 2e-6, "\(name) \(plan)")
          }
        }
      }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func denseNetworkFollowsTheReference(seed: UInt64) throws {
      var network = SmallNetwork()
      try follow(network, everyPlan, seed: seed)
      network.decay = 0.1
      try follow(network, everyPlan, seed: seed)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func spectralNetworkFollowsTheReference(seed: UInt64) throws {
      var network = SmallNetwork()
      network.spectral = true
      try follow(network, everyPlan, seed: seed)
    }

    @Test func aNetworkWideEnoughForTwoThreadsFollowsTheReference() throws {
      var network = SmallNetwork()
      network.widths = [200, 256, 272, 10]
      network.batch = 64
      network.spectral = true
      try follow(network, [PlanOptions(), PlanOptions(fusion: false, inPlace: false)], seed: 1)
    }

    @Test(arguments: [nil, 0.1] as [Double?], [false, true])
    func adamIsOneInstructionAndTheSameUpdate(decay: Double?, commuted: Bool) throws {
      var network = SmallNetwork()
      network.decay = decay
      network.commuted = commuted
      let comparison = network.comparison(steps: 4, seed: 7)
      let plain = CPUEngine(plan: PlanOptions(adam: false))
      let matched = try comparison.results(of: CPUEngine(), EngineOptions(threads: 1))
      let unmatched = try comparison.results(of: plain, EngineOptions(threads: 1))
      for (name, values) in unmatched where name.hasPrefix("state") {
        #expect(largestError(matched[name]!, values) < 1e-5, "\(name)")
      }
      let options = EngineOptions(threads: 1)
      let text = try CPUEngine().compileForCPU(comparison.programs, options: options)
        .planText("train")
      // One for each parameter, and nothing of the pattern left.
      #expect(text.split(separator: "\n").filter { $0.contains("adam") }.count == 6)
      #expect(!text.contains("squareRoot"))
      let plainText = try plain.compileForCPU(comparison.programs, options: options)
        .planText("train")
      #expect(!plainText.contains("adam") && plainText.contains("squareRoot"))
    }

    /// Values of the pattern are read elsewhere: v' as an output, the old p beside the update, m'
    /// before p' is there, a part that one instruction does not leave anywhere.
    @Test(arguments: ["v", "old", "new m", "quotient", "output", "moved", "folded"])
    func adamWhoseValuesAreReadElsewhere(use: String) throws {
      let g = GraphBuilder()
      let shape = [70]
      let p = g.state("p", shape)
      let m = g.state("m", shape)
      let v = g.state("v", shape)
      let gradient = g.add(g.multiply(p, 0.1), g.input("g", shape))
      let nextM = g.add(g.multiply(m, 0.9), g.multiply(gradient, 0.1))
      var outputs: [Program.Output] = []
      if use == "new m" { outputs.append(.init(use, g.unary(.exp, nextM))) }
      let folded = g.multiply(m, g.input("x", shape))
      let nextV = g.add(g.multiply(v, 0.99), g.multiply(g.square(gradient), 0.01))
      let quotient = g.divide(nextM, g.add(g.unary(.squareRoot, nextV), 1e-8))
      let nextP = g.subtract(p, g.multiply(quotient, 0.01))
      switch use {
      case "v": outputs.append(.init(use, nextV))
      case "old": outputs.append(.init(use, g.add(g.sum(g.square(p)), g.sum(m))))
      case "quotient": outputs.append(.init(use, g.square(quotient)))
      case "output": outputs.append(.init(use, quotient))
      case "moved": outputs.append(.init(use, g.subtract(nextP, p)))
      case "folded": outputs.append(.init(use, g.add(folded, nextP)))
      default: break
      }
      let program = Program(
        name: "p", graph: g.graph, outputs: outputs,
        updates: [.init("p", nextP), .init("m", nextM), .init("v", nextV)])
      var comparison = Comparison([program], runs: ["p", "p", "p"], seed: 3, range: 0.1...1)
      comparison.plans = everyPlan + [PlanOptions(adam: false)]
      try comparison.check()
    }

    @Test func equalRunsGiveEqualBits() throws {
      var network = SmallNetwork()
      network.widths = [200, 256, 272, 10]
      network.batch = 64
      network.spectral = true
      let comparison = network.comparison(steps: 5, seed: 1)
      for threads in [1, 2] {
        let options = EngineOptions(threads: threads)
        let first = try comparison.results(of: CPUEngine(), options)
        let second = try comparison.results(of: CPUEngine(), options)
        #expect(first == second, "\(threads) threads")
      }
    }

    /// Where memory is reused or written over changes no bit.
    @Test func memoryPlansGiveEqualBits() throws {
      var network = SmallNetwork()
      network.spectral = true
      let comparison = network.comparison(steps: 5, seed: 1)
      let options = EngineOptions(threads: 2)
      let expected = try comparison.results(of: CPUEngine(), options)
      // In place or not decides whether Adam is one instruction, so it is off on both sides.
      let separate = try comparison.results(
        of: CPUEngine(plan: PlanOptions(adam: false)), options)
      for reuse in [true, false] {
        let got = try comparison.results(of: CPUEngine(plan: PlanOptions(reuse: reuse)), options)
        #expect(got == expected)
        let copied = try comparison.results(
          of: CPUEngine(plan: PlanOptions(inPlace: false, reuse: reuse, adam: false)), options)
        #expect(copied == separate)
      }
    }

    @Test func aStepAllocatesNothing() throws {
      let comparison = SmallNetwork().comparison(steps: 1, seed: 1)
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
        for _ in 0..<100 { try executable.run("train") }
        differences.append(lgc_heap_bytes() - before)
      }
      #expect(differences.contains(0), "\(differences)")
    }

    @Test func profilesNameEveryStep() throws {
      let comparison = SmallNetwork().comparison(steps: 1, seed: 1)
      let executable = try CPUEngine().compileForCPU(
        comparison.programs, options: EngineOptions(threads: 1))
      let steps = try executable.profiledSteps(of: "train")
      #expect(steps.filter { $0.label.contains("product") }.count == 8)
      #expect(steps.allSatisfy { ($0.operations > 0) == $0.label.contains("product") })
      #expect(steps.allSatisfy { $0.bytes > 0 })
      var moments = [Int64](repeating: 0, count: steps.count + 1)
      try moments.withUnsafeMutableBufferPointer { try executable.run("train", moments: $0) }
      #expect(zip(moments, moments.dropFirst()).allSatisfy { $0 <= $1 && $0 > 0 })
      #expect(throws: EngineError.self) {
        try moments.withUnsafeMutableBufferPointer {
          try executable.run("train", moments: UnsafeMutableBufferPointer(rebasing: $0.dropLast()))
        }
      }
      let text = try executable.planText("train")
      #expect(text.hasPrefix("program train: \(steps.count) steps on 1 threads"))
    }
  }
}
