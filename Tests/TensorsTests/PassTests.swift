import Tensors
import Testing

/// Each pass by the text it makes.
@Suite struct PassTests {
  /// The lines of the nodes and results that `pass` leaves of a graph with output `y`.
  private func lines(
    after pass: (Program) -> Program, _ body: (GraphBuilder) -> Value
  ) -> [String] {
    let g = GraphBuilder()
    let y = body(g)
    let program = pass(Program(name: "p", graph: g.graph, outputs: [.init("y", y)]))
    return program.text.split(separator: "\n").dropFirst().map(String.init)
  }

  private func simplified(_ body: (GraphBuilder) -> Value) -> [String] {
    lines(after: { $0.simplified().withoutDeadCode() }, body)
  }

  @Test func textShowsNodesOriginsOutputsAndUpdates() {
    let g = GraphBuilder()
    let x = g.input("x", [128, 784])
    let w = g.state("fc1.weight", [512, 784])
    let y = g.with(origin: Origin(name: "fc1")) { g.dot(x, w, transposeRight: true) }
    let total = g.sum(y)
    let halved = g.multiply(w, 0.5)
    let program = Program(
      name: "train", graph: g.graph, outputs: [.init("loss", total)],
      updates: [.init("fc1.weight", halved)])
    #expect(
      program.text == """
        program train
        %0 = input "x" : 128×784
        %1 = state "fc1.weight" : 512×784
        %2 = dot NT %0 %1 : 128×512  # fc1
        %3 = reduce_sum axes=[0, 1] %2 : scalar
        %4 = constant 0.5 : 512×784
        %5 = multiply %1 %4 : 512×784
        output loss = %3
        state fc1.weight ← %5

        """)
  }

  // MARK: simplification

  @Test func neutralElementsVanish() {
    let x = ["%0 = input \"x\" : 2", "output y = %0"]
    func same(_ body: (GraphBuilder, Value) -> Value) -> Bool {
      simplified { g in body(g, g.input("x", [2])) } == x
    }
    #expect(same { g, x in g.add(x, 0) })
    #expect(same { g, x in g.add(g.constant(0, [2]), x) })
    #expect(same { g, x in g.subtract(x, 0) })
    #expect(same { g, x in g.multiply(x, 1) })
    #expect(same { g, x in g.multiply(g.constant(1, [2]), x) })
    #expect(same { g, x in g.divide(x, g.constant(1, [2])) })
    #expect(same { g, x in g.negate(g.negate(x)) })
    #expect(same { g, x in g.subtract(0, g.negate(x)) })
    #expect(same { g, x in g.binary(.power, x, g.constant(1, [2])) })
    #expect(same { g, x in g.unary(.reciprocal, g.unary(.reciprocal, x)) })
    #expect(same { g, x in g.reshape(g.reshape(x, to: [2, 1]), to: [2]) })
    #expect(same { g, x in g.reshape(g.transpose(g.reshape(x, to: [2, 1]), [1, 0]), to: [2]) })
    #expect(same { g, x in g.slice(x, starts: [0], limits: [2], strides: [1]) })
    #expect(same { g, x in g.pad(x, low: [0], high: [0], interior: [0]) })
    #expect(same { g, x in g.add(.concatenate(Concatenate(axis: 0)), [x]) })
    #expect(same { g, x in g.add(.reduce(Reduce(.sum, axes: [])), [x]) })
    #expect(same { g, x in g.select(g.constant(1, [2]), x, g.square(x)) })
    #expect(same { g, x in g.select(x, x, x) })
    #expect(same { g, x in g.binary(.maximum, x, x) })
    #expect(same { g, x in g.binary(.maskPositive, x, g.constant(3, [2])) })
  }

  @Test func productsWithZeroAreZero() {
    let zero = ["%0 = input \"x\" : 2×2", "%1 = constant 0.0 : 2×2", "output y = %1"]
    func isZero(_ body: (GraphBuilder, Value) -> Value) -> Bool {
      simplified { g in body(g, g.input("x", [2, 2])) } == zero
    }
    #expect(isZero { g, x in g.multiply(x, 0) })
    #expect(isZero { g, x in g.dot(x, g.constant(0, [2, 2])) })
    #expect(isZero { g, x in g.multiply(g.square(x), g.negate(g.constant(-0.0, [2, 2]))) })
    #expect(isZero { g, x in g.binary(.maskPositive, x, g.constant(0, [2, 2])) })
  }

  @Test func constantsAreFolded() {
    func number(_ body: (GraphBuilder) -> Value) -> [String] { simplified(body) }
    #expect(
      number { g in g.sum(g.multiply(g.constant(3, [2, 4]), 0.5), [1]) }
        == ["%0 = constant 6.0 : 2", "output y = %0"])
    #expect(
      number { g in g.maximum(over: [0], g.broadcast(g.constant(3), to: [2, 4], axes: [])) }
        == ["%0 = constant 3.0 : 4", "output y = %0"])
    #expect(
      number { g in g.unary(.exp, g.subtract(g.constant(2), 2)) }
        == ["%0 = constant 1.0 : scalar", "output y = %0"])
    // Not where the result would not be a number.
    #expect(
      number { g in g.unary(.log, g.constant(0)) }
        == ["%0 = constant 0.0 : scalar", "%1 = log %0 : scalar", "output y = %1"])
    #expect(
      number { g in g.divide(g.constant(1), g.constant(0)) }.last == "output y = %2")
    // Padding of other numbers than 0 is no constant.
    #expect(
      number { g in g.pad(g.constant(1, [1]), low: [1], high: [0], interior: [0]) }.count == 3)
  }

  @Test func numbersAreCombined() {
    func rest(_ body: (GraphBuilder, Value) -> Value) -> [String] {
      Array(simplified { g in body(g, g.input("x", [2])) }.dropFirst().dropLast())
    }
    #expect(
      rest { g, x in g.multiply(g.negate(g.multiply(g.multiply(x, 2), 3)), 0.5) }
        == ["%1 = constant -3.0 : 2", "%2 = multiply %0 %1 : 2"])
    #expect(
      rest { g, x in g.subtract(g.add(g.constant(2, [2]), x), 5) }
        == ["%1 = constant -3.0 : 2", "%2 = add %0 %1 : 2"])
    #expect(
      rest { g, x in g.divide(x, g.constant(8, [2])) }
        == ["%1 = constant 0.125 : 2", "%2 = multiply %0 %1 : 2"])
    // A third is no float: the division stays.
    #expect(
      rest { g, x in g.divide(x, g.constant(3, [2])) }
        == ["%1 = constant 3.0 : 2", "%2 = divide %0 %1 : 2"])
    #expect(rest { g, x in g.binary(.power, x, g.constant(2, [2])) } == ["%1 = square %0 : 2"])
    #expect(rest { g, x in g.multiply(x, x) } == ["%1 = square %0 : 2"])
    #expect(rest { g, x in g.square(g.negate(x)) } == ["%1 = square %0 : 2"])
    // 1e-40 would vanish in float32 where 1e-20·(1e-20·x) need not.
    #expect(rest { g, x in g.multiply(g.multiply(x, 1e-20), 1e-20) }.count == 4)
  }

  @Test func signsMoveOutward() {
    func rest(_ body: (GraphBuilder, Value, Value) -> Value) -> [String] {
      let result = simplified { g in body(g, g.input("x", [2]), g.input("y", [2])) }
      return Array(result.dropFirst(2).dropLast())
    }
    #expect(rest { g, x, y in g.add(x, g.negate(y)) } == ["%2 = subtract %0 %1 : 2"])
    #expect(rest { g, x, y in g.add(g.negate(x), y) } == ["%2 = subtract %1 %0 : 2"])
    #expect(rest { g, x, y in g.subtract(x, g.negate(y)) } == ["%2 = add %0 %1 : 2"])
    #expect(rest { g, x, y in g.negate(g.subtract(x, y)) } == ["%2 = subtract %1 %0 : 2"])
    #expect(rest { g, x, y in g.multiply(g.negate(x), g.negate(y)) } == ["%2 = multiply %0 %1 : 2"])
    #expect(
      rest { g, x, y in g.multiply(x, g.unary(.reciprocal, y)) } == ["%2 = divide %0 %1 : 2"])
  }

  @Test func movesOfMovesAreOneMove() {
    func rest(_ shape: Shape, _ body: (GraphBuilder, Value) -> Value) -> [String] {
      Array(simplified { g in body(g, g.input("x", shape)) }.dropFirst().dropLast())
    }
    #expect(
      rest([2, 3, 4]) { g, x in g.transpose(g.transpose(x, [1, 2, 0]), [1, 0, 2]) }
        == ["%1 = transpose permutation=[2, 1, 0] %0 : 4×3×2"])
    #expect(
      rest([3]) { g, x in
        g.broadcast(g.broadcast(x, to: [2, 3], axes: [1]), to: [2, 4, 3], axes: [0, 2])
      }
        == ["%1 = broadcast axes=[2] %0 : 2×4×3"])
    #expect(
      rest([3]) { g, x in g.broadcast(x, to: [1, 3], axes: [1]) } == ["%1 = reshape %0 : 1×3"])
    #expect(
      rest([2, 3, 4]) { g, x in g.sum(g.sum(x, [1]), [1]) }
        == ["%1 = reduce_sum axes=[1, 2] %0 : 2"])
    #expect(rest([2, 1]) { g, x in g.sum(x, [1]) } == ["%1 = reshape %0 : 2"])
    #expect(
      rest([3]) { g, x in g.sum(g.broadcast(x, to: [5, 3, 2], axes: [1]), [0, 2]) }
        == ["%1 = constant 10.0 : 3", "%2 = multiply %0 %1 : 3"])
    #expect(
      rest([3]) { g, x in g.maximum(over: [0], g.broadcast(x, to: [5, 3, 2], axes: [1])) }
        == ["%1 = broadcast axes=[0] %0 : 3×2"])
  }

  @Test func dotsTakeTransposesIn() {
    let result = simplified { g in
      let (x, w) = (g.input("x", [2, 3]), g.input("w", [4, 3]))
      return g.dot(g.transpose(x, [1, 0]), g.transpose(w, [1, 0]), transposeLeft: true)
    }
    #expect(result[2] == "%2 = dot NT %0 %1 : 2×4")
  }

  @Test func stopGradientStaysUntilItIsDropped() {
    func body(_ g: GraphBuilder) -> Value { g.stopGradient(g.stopGradient(g.input("x", [2]))) }
    #expect(
      simplified(body) == ["%0 = input \"x\" : 2", "%1 = stop_gradient %0 : 2", "output y = %1"])
    #expect(
      lines(after: { $0.withoutStopGradients() }, body)
        == ["%0 = input \"x\" : 2", "output y = %0"])
  }

  @Test func aColumnTimesARowIsAProductOfBroadcasts() {
    let result = simplified { g in
      g.dot(g.input("x", [3, 1]), g.input("w", [4, 1]), transposeRight: true)
    }
    #expect(
      result.dropLast() == [
        "%0 = input \"x\" : 3×1", "%1 = input \"w\" : 4×1", "%2 = reshape %0 : 3",
        "%3 = broadcast axes=[0] %2 : 3×4", "%4 = reshape %1 : 4",
        "%5 = broadcast axes=[1] %4 : 3×4", "%6 = multiply %3 %5 : 3×4",
      ])
    let ones = lines(after: { $0.optimized() }) { g in
      g.dot(g.constant(1, [3, 1]), g.input("w", [1, 4]))
    }
    #expect(ones.count == 4 && ones[2] == "%2 = broadcast axes=[1] %1 : 3×4")
  }

  // MARK: scalars out of dots

  private func scaledDot(
    batch: Int, _ body: (GraphBuilder, _ w: Value, _ s: Value) -> Value
  ) -> [String] {
    let result = lines(after: { $0.withScalarsOutOfContractions().withoutDeadCode() }) { g in
      let (x, w, s) = (g.input("x", [batch, 6]), g.state("w", [5, 6]), g.state("s", []))
      return g.dot(x, body(g, w, s), transposeRight: true)
    }
    return Array(result.dropFirst(3).dropLast())
  }

  @Test func aScaledWeightIsNeverHeld() {
    #expect(
      scaledDot(batch: 3) { g, w, s in g.divide(w, s) } == [
        "%3 = dot NT %0 %1 : 3×5", "%4 = reciprocal %2 : scalar",
        "%5 = broadcast axes=[] %4 : 3×5", "%6 = multiply %3 %5 : 3×5",
      ])
    #expect(
      scaledDot(batch: 3) { g, w, s in g.multiply(s, g.negate(g.multiply(w, 2))) } == [
        "%3 = dot NT %0 %1 : 3×5", "%4 = constant -2.0 : scalar", "%5 = multiply %2 %4 : scalar",
        "%6 = broadcast axes=[] %5 : 3×5", "%7 = multiply %3 %6 : 3×5",
      ])
  }

  @Test func aWeightSmallerThanTheProductIsScaledItself() {
    let kept = scaledDot(batch: 7) { g, w, s in g.divide(w, s) }
    #expect(kept.last == "%5 = dot NT %0 %4 : 7×5")
  }

  @Test func aWeightAsLargeAsTheProductIsScaledIfOthersReadIt() {
    #expect(scaledDot(batch: 6) { g, w, s in g.divide(w, s) }.last == "%6 = multiply %3 %5 : 6×5")
    let shared = lines(after: { $0.withScalarsOutOfContractions() }) { g in
      let (x, w, s) = (g.input("x", [6, 6]), g.state("w", [5, 6]), g.state("s", []))
      let scaled = g.divide(w, s)
      return g.add(g.sum(scaled), g.sum(g.dot(x, scaled, transposeRight: true)))
    }
    #expect(shared.contains { $0.hasSuffix("dot NT %0 %4 : 6×5") })
  }

  @Test func theGradientOfAScaledDotHoldsNoScaledWeight() {
    let g = GraphBuilder()
    let (x, w, s) = (g.input("x", [8, 64]), g.state("w", [32, 64]), g.state("s", []))
    let y = g.sum(g.unary(.tanh, g.dot(x, g.divide(w, s), transposeRight: true)))
    let forward = Program(name: "p", graph: g.graph, outputs: [.init("y", y)]).optimized()
    let h = GraphBuilder(forward.graph)
    func state(_ name: String) -> Value {
      Value(forward.graph.nodes.firstIndex { $0.op == .state(State(name: name, shape: $0.shape)) }!)
    }
    let slopes = h.gradient(of: forward.outputs[0].value, with: [state("w"), state("s")])
    let whole = Program(
      name: "p", graph: h.graph, outputs: [.init("w", slopes[0]), .init("s", slopes[1])]
    ).optimized()
    // Of w's size there are w itself and its gradient, a dot.
    let large = whole.graph.nodes.filter { $0.shape.elementCount == 32 * 64 }
    #expect(large.map(\.op.primitive.mnemonic) == ["state", "dot"])
  }

  @Test func scalarsMoveOutOfEveryFormOfConvolution() {
    // A kernel larger than the images, and images larger than their kernel.
    func scaled(_ form: Convolution.Form, extent: Int, kernel: Int, side: Int) -> [String] {
      let axes = [WindowAxis(extent: extent, kernel: kernel)]
      let x = [2, 3, extent], w = [4, 3, kernel], y = [2, 4, axes[0].outputs]
      let shapes =
        switch form {
        case .forward: [x, w]
        case .data: [y, w]
        case .weights: [x, y]
        }
      let result = lines(after: { $0.withScalarsOutOfContractions().withoutDeadCode() }) { g in
        var operands = [g.input("a", shapes[0]), g.input("b", shapes[1])]
        operands[side] = g.divide(operands[side], g.state("s", []))
        return g.add(.convolution(Convolution(form, axes: axes)), operands)
      }
      return Array(result.dropFirst(3).dropLast())
    }
    #expect(
      scaled(.forward, extent: 4, kernel: 4, side: 1) == [
        "%3 = convolution axes=[4k4s1p0,0] %0 %1 : 2×4×1", "%4 = reciprocal %2 : scalar",
        "%5 = broadcast axes=[] %4 : 2×4×1", "%6 = multiply %3 %5 : 2×4×1",
      ])
    #expect(
      scaled(.data, extent: 4, kernel: 4, side: 1).first
        == "%3 = convolution_data axes=[4k4s1p0,0] %0 %1 : 2×3×4")
    #expect(
      scaled(.weights, extent: 9, kernel: 2, side: 1).first
        == "%3 = convolution_weights axes=[9k2s1p0,0] %0 %1 : 4×3×2")
    #expect(
      scaled(.weights, extent: 9, kernel: 2, side: 0).last == "%6 = multiply %3 %5 : 4×3×2")
    // Scaling the images would cost more than scaling the kernel.
    #expect(
      scaled(.forward, extent: 9, kernel: 2, side: 1).last
        == "%5 = convolution axes=[9k2s1p0,0] %0 %4 : 2×4×8")
  }

  @Test func theGradientOfAScaledConvolutionHoldsNoScaledKernel() {
    let g = GraphBuilder()
    let axes = [WindowAxis(extent: 4, kernel: 3)]
    let (x, w, s) = (g.input("x", [1, 16, 4]), g.state("w", [32, 16, 3]), g.state("s", []))
    let y = g.sum(g.unary(.tanh, g.convolution(x, g.divide(w, s), axes: axes)))
    let forward = Program(name: "p", graph: g.graph, outputs: [.init("y", y)]).optimized()
    let h = GraphBuilder(forward.graph)
    let sources = ["w", "s"].map { name in
      Value(forward.graph.nodes.firstIndex { $0.op == .state(State(name: name, shape: $0.shape)) }!)
    }
    let slopes = h.gradient(of: forward.outputs[0].value, with: sources)
    let whole = Program(
      name: "p", graph: h.graph, outputs: [.init("w", slopes[0]), .init("s", slopes[1])]
    ).optimized()
    let large = whole.graph.nodes.filter { $0.shape.elementCount == 32 * 16 * 3 }
    #expect(large.map(\.op.primitive.mnemonic) == ["state", "convolution_weights"])
  }

  // MARK: windows and places

  @Test func convolutionsAndWindowsOfNothingAreNothing() {
    let axes = [WindowAxis(extent: 5, kernel: 3, stride: 2, low: 1, high: 1)]
    func rest(_ shapes: [Shape], _ body: (GraphBuilder, [Value]) -> Value) -> [String] {
      let result = simplified { g in
        body(g, shapes.enumerated().map { g.input("x\($0)", $1) })
      }
      return Array(result.dropFirst(shapes.count).dropLast())
    }
    func zero(_ shape: String) -> [String] { ["%1 = constant 0.0 : \(shape)"] }
    #expect(
      rest([[2, 4, 5]]) { g, x in g.convolution(x[0], g.constant(0, [6, 4, 3]), axes: axes) }
        == zero("2×6×3"))
    #expect(
      rest([[6, 4, 3]]) { g, w in g.convolutionData(g.constant(0, [2, 6, 3]), w[0], axes: axes) }
        == zero("2×4×5"))
    #expect(
      rest([[2, 4, 5]]) { g, x in g.convolutionWeights(x[0], g.constant(0, [2, 6, 3]), axes: axes) }
        == zero("6×4×3"))
    for form in [Window.Form.gather, .scatter] {
      let shape = form == .gather ? "2×3" : "2×5"
      #expect(
        rest([[2, 3]]) { g, x in
          let other = g.constant(0, form == .gather ? [2, 5] : [2, 3])
          return g.add(.window(Window(form, axes: axes)), [x[0], other])
        } == zero(shape))
    }
    func number(_ body: (GraphBuilder) -> Value) -> String { simplified(body)[0] }
    #expect(
      number { g in g.window(.sum, g.constant(0, [2, 5]), axes: axes) } == "%0 = constant 0.0 : 2×3")
    #expect(
      number { g in g.window(.spread, g.constant(0, [2, 3]), axes: axes) }
        == "%0 = constant 0.0 : 2×5")
    let inside = [WindowAxis(extent: 5, kernel: 3, dilation: 2), WindowAxis(extent: 4, kernel: 2)]
    #expect(
      number { g in g.window(.sum, g.constant(0.5, [5, 4]), axes: inside) }
        == "%0 = constant 3.0 : 1×3")
    // A window over the border holds less.
    #expect(
      simplified { g in g.window(.sum, g.constant(0.5, [2, 5]), axes: axes) }.count == 3)
  }

  @Test func windowsOfOneElementVanish() {
    let axes = [WindowAxis(extent: 5, kernel: 1)]
    for form in [Window.Form.sum, .spread] {
      #expect(
        simplified { g in g.window(form, g.input("x", [2, 5]), axes: axes) }
          == ["%0 = input \"x\" : 2×5", "output y = %0"])
    }
  }

  @Test func takesAndPutsAreTheSimplestMoves() {
    func rest(_ shape: Shape, _ body: (GraphBuilder, Value) -> Value) -> [String] {
      Array(simplified { g in body(g, g.input("x", shape)) }.dropFirst().dropLast())
    }
    func put(_ g: GraphBuilder, _ x: Value, _ places: [Int], _ extent: Int) -> Value {
      g.add(.put(Put(axis: 1, places: places, extent: extent)), [x])
    }
    #expect(rest([2, 3]) { g, x in g.take(x, axis: 1, places: [0, 1, 2]) } == [])
    #expect(rest([2, 3]) { g, x in put(g, x, [0, 1, 2], 3) } == [])
    #expect(
      rest([2, 3]) { g, x in g.take(g.constant(2, [2, 3]), axis: 1, places: [2, 2]) }
        == ["%1 = constant 2.0 : 2×2"])
    #expect(
      rest([2, 3]) { g, x in put(g, g.constant(0, [2, 3]), [2, 2, 0], 4) }
        == ["%1 = constant 0.0 : 2×4"])
    #expect(
      rest([2, 4]) { g, x in
        g.take(g.take(x, axis: 1, places: [3, 0, 2, 2]), axis: 1, places: [1, 0, 3])
      } == ["%1 = take axis=1 places=[0, 3, 2] %0 : 2×3"])
    #expect(
      rest([2, 3]) { g, x in put(g, put(g, x, [1, 1, 0], 2), [4, 0], 5) }
        == ["%1 = put axis=1 places=[0, 0, 4] extent=5 %0 : 2×5"])
    // What a take undoes vanishes.
    #expect(
      rest([2, 3]) { g, x in
        g.take(g.take(x, axis: 1, places: [2, 1, 0]), axis: 1, places: [2, 1, 0])
      } == [])
    #expect(
      rest([2, 7]) { g, x in g.take(x, axis: 1, places: [1, 3, 5]) }
        == ["%1 = slice starts=[0, 1] limits=[2, 6] strides=[1, 2] %0 : 2×3"])
    #expect(
      rest([2, 3]) { g, x in put(g, x, [1, 3, 5], 8) }
        == ["%1 = pad low=[0, 1] high=[0, 2] interior=[0, 1] %0 : 2×8"])
    #expect(
      rest([2, 3]) { g, x in put(g, x, [2, 0, 1], 3) }
        == ["%1 = take axis=1 places=[1, 2, 0] %0 : 2×3"])
    #expect(
      rest([2]) { g, x in g.take(g.broadcast(x, to: [2, 3], axes: [0]), axis: 1, places: [2, 0]) }
        == ["%1 = broadcast axes=[0] %0 : 2×2"])
  }

  // MARK: common subexpressions and dead code

  @Test func equalNodesAreComputedOnce() {
    let result = lines(after: { $0.withoutCommonSubexpressions() }) { g in
      let (x, y) = (g.input("x", [2]), g.input("y", [2]))
      let sums = g.multiply(g.add(x, y), g.add(y, x))
      return g.add(sums, g.multiply(g.subtract(x, y), g.subtract(y, x)))
    }
    #expect(
      Array(result.dropFirst(2)) == [
        "%2 = add %0 %1 : 2", "%3 = multiply %2 %2 : 2", "%4 = subtract %0 %1 : 2",
        "%5 = subtract %1 %0 : 2", "%6 = multiply %4 %5 : 2", "%7 = add %3 %6 : 2", "output y = %7",
      ])
  }

  @Test func zeroAndMinusZeroAreDifferentConstants() {
    let result = lines(after: { $0.withoutCommonSubexpressions() }) { g in
      g.add(g.constant(0), g.constant(-0.0))
    }
    #expect(result.count == 4)
  }

  @Test func whatNobodyNeedsGoesButInputsStay() {
    let result = lines(after: { $0.withoutDeadCode() }) { g in
      let (x, unused) = (g.input("x", [2]), g.input("unused", [3]))
      _ = g.sum(g.square(unused))
      _ = g.state("w", [2])
      return g.negate(x)
    }
    #expect(
      result == [
        "%0 = input \"x\" : 2", "%1 = input \"unused\" : 3", "%2 = negate %0 : 2", "output y = %2",
      ])
  }

  @Test func originsSurviveEveryPass() {
    let g = GraphBuilder()
    let x = g.input("x", [4, 8])
    let y = g.with(origin: Origin(name: "fc1")) {
      g.dot(x, g.divide(g.state("w", [3, 8]), g.state("s", [])), transposeRight: true)
    }
    let z = g.with(origin: Origin(name: "act")) { g.unary(.tanh, g.multiply(y, 1)) }
    let nodes = Program(name: "p", graph: g.graph, outputs: [.init("z", z)]).optimized().graph.nodes
    for node in nodes where node.op != .input(Input(name: "x", shape: [4, 8])) {
      #expect(node.origin?.name == (node.op == .unary(.tanh) ? "act" : "fc1"))
    }
  }
}
