import AllocationCount
import CKernels
import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  /// A run asks nothing of the allocator.
  @Suite struct AllocationTests {
    /// Calls of the allocator during `runs` runs, by the threads that compute.
    private func calls(_ program: Program, runs: Int = 5) throws -> Int {
      let executable = try CPUEngine().compile([program], options: EngineOptions(threads: 2))
      for (name, shape) in program.inputs {
        try executable.writeInput(
          name, of: program.name, [Float](repeating: 0.5, count: shape.elementCount))
      }
      for _ in 0..<3 { try executable.run(program.name) }
      func count(_ on: Int32) {
        withUnsafePointer(to: on) { lgc_team_run(allocation_count_switch, $0, 2) }
      }
      allocation_count_forget()
      let before = allocation_count()
      count(1)
      defer { count(0) }
      for _ in 0..<runs { try executable.run(program.name) }
      return Int(allocation_count() - before)
    }

    private func program(_ build: (GraphBuilder) -> [Value]) -> Program {
      let g = GraphBuilder()
      let values = build(g)
      return Program(
        name: "p", graph: g.graph,
        outputs: values.enumerated().map { .init("y\($0)", $1) })
    }

    @Test func allocationsAreSeen() {
      var on: Int32 = 1
      let before = allocation_count()
      allocation_count_switch(&on, 0, 1)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 1000, alignment: 128)
      on = 0
      allocation_count_switch(&on, 0, 1)
      memory.deallocate()
      #expect(allocation_count() > before)
    }

    @Test func loopsAllocateNothing() throws {
      let program = program { g in
        let x = g.input("x", [300, 400])
        let y = g.unary(.tanh, g.multiply(x, g.broadcast(leading: g.sum(x, [1]), to: [300, 400])))
        return [y, g.sum(y, [0]), g.sum(y)]
      }
      #expect(try calls(program) == 0)
    }

    @Test func movesFoldsAndRandomNumbersAllocateNothing() throws {
      let program = program { g in
        let x = g.input("x", [40, 50, 60])
        return [
          g.transpose(x, [2, 0, 1]), g.sum(x, [1]), g.concatenate([x, x], axis: 1),
          g.pad(x, low: [1, 0, 2], high: [0, 1, 0], interior: [0, 1, 0]),
          g.random(stream: 3, counter: g.input("n", []), [30000]),
          g.take(x, axis: 1, places: [4, 3, 3, 49]),
        ]
      }
      #expect(try calls(program) == 0)
    }

    @Test func poolingAllocatesNothing() throws {
      let axes = [WindowAxis](repeating: WindowAxis(extent: 32, kernel: 3, stride: 2), count: 2)
      let program = program { g in
        let x = g.input("x", [8, 16, 32, 32])
        let y = g.windowMaximum(x, axes: axes)
        let mean = g.window(.sum, x, axes: axes)
        return [y, mean] + g.gradient(of: g.sum(g.multiply(y, mean)), with: [x])
      }
      #expect(try calls(program) == 0)
    }

    @Test func productsAllocateNothing() throws {
      let program = program { g in
        let x = g.input("x", [128, 300])
        let w = g.input("w", [200, 300])
        let y = g.dot(x, w, transposeRight: true)
        return [y] + g.gradient(of: g.sum(g.square(y)), with: [x, w])
      }
      #expect(try calls(program) == 0)
    }

    /// oneDNN makes a table of the arguments for every primitive that it runs, and frees it: some
    /// hundred bytes. Anything of the size of data would show.
    @Test func convolutionsTakeOnlyTheTableOfTheirArguments() throws {
      let axes = [WindowAxis](
        repeating: WindowAxis(extent: 16, kernel: 3, low: 1, high: 1), count: 2)
      let program = program { g in
        let x = g.input("x", [8, 16, 16, 16])
        let w = g.input("w", [32, 16, 3, 3])
        let y = g.convolution(x, w, axes: axes)
        return [y] + g.gradient(of: g.sum(g.square(y)), with: [x, w])
      }
      _ = try calls(program)
      #expect(allocation_count_largest() < 1024, "\(allocation_count_largest())")
    }

    @Test func aTrainingStepAllocatesNothing() throws {
      var network = SmallNetwork()
      network.spectral = true
      #expect(try calls(network.program()) == 0)
    }
  }
}
