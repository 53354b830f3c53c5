import ReferenceEngine
import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  /// Pooling and reindexing against the reference, for every geometry that the kernels tell apart.
  @Suite struct WindowTests {
    /// Wide and narrow rows, overlapping and separate windows, padding on either side, dilation,
    /// windows of the whole plane, windows that are padding only.
    static let axes: [[WindowAxis]] = [
      [WindowAxis(extent: 40, kernel: 2, stride: 2), WindowAxis(extent: 64, kernel: 2, stride: 2)],
      [
        WindowAxis(extent: 9, kernel: 3, stride: 2, low: 1, high: 1),
        WindowAxis(extent: 75, kernel: 3, stride: 2, low: 1, high: 0),
      ],
      [
        WindowAxis(extent: 12, kernel: 3, low: 1, high: 1),
        WindowAxis(extent: 37, kernel: 3, low: 1, high: 1),
      ],
      [WindowAxis(extent: 7, kernel: 7), WindowAxis(extent: 19, kernel: 19)],
      [WindowAxis(extent: 30, kernel: 5, stride: 3, dilation: 2, low: 4, high: 3)],
      [
        WindowAxis(extent: 11, kernel: 3, stride: 4, dilation: 6, low: 2, high: 2),
        WindowAxis(extent: 90, kernel: 2, stride: 3, dilation: 4),
      ],
      [WindowAxis(extent: 1, kernel: 2, dilation: 2, low: 1, high: 1)],
      [WindowAxis(extent: 5, kernel: 2, stride: 9)],
      [WindowAxis(extent: 6, kernel: 6, stride: 6), WindowAxis(extent: 33, kernel: 1, stride: 4)],
    ]

    private func check(
      _ g: GraphBuilder, _ outputs: [Value], _ plans: [PlanOptions] = everyPlan,
      _ sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let program = Program(
        name: "p", graph: g.graph,
        outputs: outputs.enumerated().map { .init("y\($0)", $1) })
      var comparison = Comparison([program], runs: ["p"], seed: 11)
      comparison.plans = plans
      comparison.tolerance = 1e-5
      try comparison.check(sourceLocation: sourceLocation)
    }

    @Test(arguments: axes)
    func everyFormOfEveryGeometry(axes: [WindowAxis]) throws {
      for leading in [[], [3], [4, 33]] {
        let g = GraphBuilder()
        let x = g.input("x", leading + axes.map(\.extent))
        let y = g.input("y", leading + axes.map(\.outputs))
        let places = g.window(.argument, x, axes: axes)
        try check(
          g,
          [
            g.window(.sum, x, axes: axes), g.window(.spread, y, axes: axes), places,
            g.add(.window(Window(.gather, axes: axes)), [places, x]),
            g.add(.window(Window(.scatter, axes: axes)), [places, y]),
          ])
      }
    }

    @Test(arguments: axes)
    func gradientsOfMaximaAndTheirGradients(axes: [WindowAxis]) throws {
      let g = GraphBuilder()
      let shape = [2, 5] + axes.map(\.extent)
      let x = g.input("x", shape)
      let pooled = g.windowMaximum(g.unary(.tanh, x), axes: axes)
      let first = g.gradient(of: g.sum(g.multiply(pooled, g.square(pooled))), with: [x])[0]
      let second = g.gradient(of: g.sum(g.square(first)), with: [x])[0]
      try check(g, [pooled, first, second])
    }

    @Test(arguments: axes)
    func gradientsOfMeansAndTheirGradients(axes: [WindowAxis]) throws {
      let g = GraphBuilder()
      let x = g.input("x", [2, 5] + axes.map(\.extent))
      let pooled = g.window(.sum, g.square(x), axes: axes)
      let first = g.gradient(of: g.sum(g.unary(.tanh, pooled)), with: [x])[0]
      let second = g.gradient(of: g.sum(g.square(first)), with: [x])[0]
      try check(g, [pooled, first, second])
    }

    @Test func maximaNeedOnePassAndNoPositionsIfNobodyReadsThem() throws {
      let axes = [WindowAxis(extent: 6, kernel: 2, stride: 2)]
      let g = GraphBuilder()
      let pooled = g.windowMaximum(g.input("x", [4, 6]), axes: axes)
      let program = Program(name: "p", graph: g.graph, outputs: [.init("y", pooled)])
      let plan = try Planner.plan(program, PlanOptions())
      #expect(plan.steps.count == 1)
      guard case .window(let window) = plan.steps[0].work else {
        Issue.record("the step is \(plan.steps[0].label)")
        return
      }
      #expect(window.positions == nil)
    }

    @Test func theFirstOfEqualMaximaWinsAndNaNIsLargest() throws {
      let axes = [WindowAxis(extent: 48, kernel: 3, stride: 1, low: 1, high: 1)]
      let g = GraphBuilder()
      let x = g.input("x", [2, 48])
      let places = g.window(.argument, x, axes: axes)
      let largest = g.add(.window(Window(.gather, axes: axes)), [places, x])
      let program = Program(
        name: "p", graph: g.graph, outputs: [.init("places", places), .init("y", largest)])
      var comparison = Comparison([program], runs: ["p"], seed: 1)
      var values = (0..<96).map { Float($0 / 5 % 3) }
      for index in [7, 8, 30, 95] { values[index] = .nan }
      for index in [60, 61, 62, 63, 64] { values[index] = -.infinity }
      comparison.inputs["p"] = ["x": values]
      try comparison.check()
    }

    /// The kernels on several lanes, which channels-last storage needs, against single lanes.
    @Test(arguments: axes)
    func lanesAreImagesOfTheirOwn(axes: [WindowAxis]) throws {
      for lanes in [3, 8, 16, 27] {
        let g = GraphBuilder()
        let (extents, outputs) = (axes.map(\.extent), axes.map(\.outputs))
        let x = g.input("x", [2, lanes] + extents)
        let y = g.input("y", [2, lanes] + outputs)
        let places = g.window(.argument, x, axes: axes)
        func last(_ value: Value) -> Value {
          let rank = axes.count + 2
          return g.transpose(value, [0] + Array(2..<rank) + [1])
        }
        let results = [
          g.window(.sum, x, axes: axes), g.window(.spread, y, axes: axes), places,
          g.add(.window(Window(.gather, axes: axes)), [places, x]),
          g.add(.window(Window(.scatter, axes: axes)), [places, y]),
        ]
        let returned =
          [Program.Output("x", last(x)), .init("y", last(y)), .init("places", last(places))]
          + results.enumerated().map { .init("r\($0)", last($1)) }
        let program = Program(name: "p", graph: g.graph, outputs: returned)
        let comparison = Comparison([program], runs: ["p"], seed: 5)
        let expected = try comparison.results(of: ReferenceEngine(), EngineOptions())
        func value(_ name: String) -> [Float] { expected["0.p.\(name)"]! }
        let forms: [(Window.Form, [Float], Int)] = [
          (.sum, value("x"), 0), (.spread, value("y"), 1), (.argument, value("x"), 2),
          (.gather, value("x"), 3), (.scatter, value("y"), 4),
        ]
        for (form, from, index) in forms {
          let got = try onLanes(form, axes, lanes, from, value("places"), value("r\(index)").count)
          #expect(largestError(got, value("r\(index)")) < 1e-5, "\(form) on \(lanes) lanes")
        }
      }
    }

    /// One step on channels-last memory.
    private func onLanes(
      _ form: Window.Form, _ axes: [WindowAxis], _ lanes: Int, _ from: [Float],
      _ positions: [Float], _ count: Int
    ) throws -> [Float] {
      var plan = Plan(name: "p")
      plan.buffers = [
        Buffer(count: from.count, place: .kept), Buffer(count: positions.count, place: .kept),
        Buffer(count: count, place: .kept),
      ]
      let window = PlannedWindow(
        form: form.kernel, axes: axes, images: 2, lanes: lanes,
        inside: Planner.areInside(axes),
        positions: form == .argument ? 2 : form == .gather || form == .scatter ? 1 : nil,
        from: 0, to: form == .argument ? nil : 2)
      plan.steps = [PlannedStep(work: .window(window), label: "window", origin: nil)]
      plan.placeBuffers(reuse: true)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: plan.keptBytes, alignment: 64)
      defer { memory.deallocate() }
      let steps = try BoundSteps(
        plan,
        Addresses(
          arena: memory, kept: memory, states: [:], scratch: memory, partials: memory, threads: 2))
      steps.address(0).update(from: from, count: from.count)
      steps.address(1).update(from: positions, count: positions.count)
      steps.run(nil)
      return Array(UnsafeBufferPointer(start: steps.address(2), count: count))
    }

    /// Every kind of pooling behind a convolution, in whatever way its result lies in memory, with
    /// gradients of two orders.
    @Test(arguments: [nil] + Arrangement.allCases)
    func poolingBehindConvolutions(arrangement: Arrangement?) throws {
      let spatial = [WindowAxis](
        repeating: WindowAxis(extent: 8, kernel: 3, low: 1, high: 1), count: 2)
      let pooling = [WindowAxis](
        repeating: WindowAxis(extent: 8, kernel: 3, stride: 2, low: 1), count: 2)
      for channels in [16, 32] {
        let g = GraphBuilder()
        let x = g.input("x", [2, 16, 8, 8])
        let y = g.unary(
          .tanh, g.convolution(x, g.state("w", [channels, 16, 3, 3]), axes: spatial))
        let largest = g.windowMaximum(y, axes: pooling)
        let mean = g.window(.sum, y, axes: pooling)
        let mirrored = g.take(g.multiply(largest, mean), axis: 3, places: [2, 1, 0, 1, 2, 3, 3])
        let total = g.sum(g.unary(.tanh, g.multiply(mirrored, 0.05)))
        let first = g.gradient(of: total, with: [x])[0]
        let second = g.gradient(of: g.sum(g.square(first)), with: [x])[0]
        let outputs = [mirrored, first, second].enumerated().map {
          Program.Output("y\($0)", $1)
        }
        let program = Program(name: "p", graph: g.graph, outputs: outputs)
        var comparison = Comparison([program], runs: ["p"], seed: 3, range: -0.4...0.4)
        comparison.plans = everyPlan.map { plan in
          var plan = plan
          plan.arrangement = arrangement
          return plan
        }
        comparison.tolerance = 2e-5
        try comparison.check()
      }
    }

    @Test(arguments: [([5, 7, 6], 0), ([5, 7, 6], 1), ([5, 7, 6], 2), ([300, 200], 1), ([9], 0)])
    func takesPutsAndTheirGradients(shape: Shape, axis: Int) throws {
      let g = GraphBuilder()
      let x = g.input("x", shape)
      let extent = shape[axis]
      let places = (0..<(extent + 3)).map { ($0 * $0 + 2) % extent }
      let taken = g.take(g.square(x), axis: axis, places: places)
      let put = g.add(.put(Put(axis: axis, places: places, extent: extent)), [taken])
      let first = g.gradient(of: g.sum(g.multiply(taken, g.unary(.tanh, taken))), with: [x])[0]
      let second = g.gradient(of: g.sum(g.square(g.add(first, put))), with: [x])[0]
      try check(g, [taken, put, first, second])
    }
  }
}
