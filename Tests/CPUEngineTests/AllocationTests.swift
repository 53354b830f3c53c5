import AllocationCount
import CKernels
import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  /// What runs ask of the allocator.
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
        let sorted = g.exchange(g.input("z", [4, 6, 1000]), axis: 1)
        return [y, g.sum(y, [0]), g.sum(y), sorted, g.exchange(y, axis: 1)]
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

    private static let multipliesItself: Bool = {
      var product = lgc_product()
      (product.m, product.n, product.k) = (128, 200, 300)
      (product.transpose_b, product.parts) = (1, 1)
      return lgc_product_scratch(&product) > 0
    }()

    /// Where the processor has the instructions of our own kernels.
    @Test(.enabled(if: multipliesItself))
    func productsWithTransposedWeightsAllocateNothing() throws {
      let program = program { g in
        let weight = g.input("w", [200, 300])
        let product = g.dot(g.input("x", [128, 300]), weight, transposeRight: true)
        let bias = g.broadcast(trailing: g.input("b", [200]), to: [128, 200])
        return [g.unary(.relu, g.add(product, bias))]
      }
      #expect(try calls(program) == 0)
    }

    /// oneDNN's sgemm takes packing memory, which depends on the shape, and gives it back.
    @Test func otherProductsKeepNothing() throws {
      let program = program { g in
        let (a, b) = (g.input("a", [128, 300]), g.input("b", [128, 200]))
        return [g.dot(a, b, transposeLeft: true), g.dot(b, g.input("c", [200, 300]))]
      }
      let executable = try CPUEngine().compile([program], options: EngineOptions(threads: 2))
      for _ in 0..<3 { try executable.run("p") }
      // Other threads of the test process allocate meanwhile: one quiet window is enough, and short
      // ones are quiet soonest.
      let keepsNothing = try (0..<5000).contains { _ in
        let before = lgc_heap_bytes()
        for _ in 0..<3 { try executable.run("p") }
        return lgc_heap_bytes() == before
      }
      #expect(keepsNothing)
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
  }
}
