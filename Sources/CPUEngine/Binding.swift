import CKernels
import Tensors

/// Where a program's memory is.
struct Addresses {
  var arena: UnsafeMutableRawPointer
  var kept: UnsafeMutableRawPointer
  /// State name → address.
  var states: [String: UnsafeMutableRawPointer]
  /// Tiles of the loops, one slot per thread, and after them partial results.
  var scratch: UnsafeMutableRawPointer
  var partials: UnsafeMutableRawPointer
  var threads: Int
}

/// The flat step array of a program and everything that it points to.
final class BoundSteps {
  private let steps: UnsafeMutablePointer<lgc_step>
  let count: Int
  private var owned: [UnsafeMutableRawPointer] = []
  private var calls: [OpaquePointer] = []
  private let plan: Plan
  private let addresses: Addresses

  init(
    _ plan: Plan, _ addresses: Addresses, only chosen: [PlannedStep]? = nil
  ) throws(EngineError) {
    let planned = chosen ?? plan.steps
    self.plan = plan
    self.addresses = addresses
    count = planned.count
    steps = .allocate(capacity: max(1, planned.count))
    for (index, step) in planned.enumerated() {
      let (kind, work) = try bind(step)
      (steps + index).initialize(to: lgc_step(kind: kind.rawValue, work: work))
    }
  }

  deinit {
    steps.deallocate()
    for call in calls { lgc_call_free(call) }
    for pointer in owned { pointer.deallocate() }
  }

  /// Runs all steps; −1, or the number of the step that failed.
  @discardableResult
  func run(_ moments: UnsafeMutablePointer<Int64>?) -> Int32 {
    lgc_steps_run(steps, Int32(count), calls.isEmpty ? 1 : threads, moments)
  }

  /// Blocks of memory that the steps hold.
  var blockCount: Int { 1 + owned.count + calls.count }

  /// Runs one step; `moments` receives its beginning and its end.
  func run(only index: Int, _ moments: UnsafeMutablePointer<Int64>) -> Int32 {
    let failed = lgc_steps_run(steps + index, 1, calls.isEmpty ? 1 : threads, moments)
    return failed < 0 ? failed : Int32(index)
  }

  func address(_ buffer: Int) -> UnsafeMutablePointer<Float> {
    let planned = plan.buffers[buffer]
    let base =
      switch planned.place {
      case .arena: addresses.arena + planned.offset
      case .kept: addresses.kept + planned.offset
      case .state(let name): addresses.states[name]!
      }
    return base.assumingMemoryBound(to: Float.self)
  }

  func own<Element>(_ values: [Element]) -> UnsafeMutablePointer<Element> {
    let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(1, values.count))
    pointer.initialize(from: values, count: values.count)
    owned.append(UnsafeMutableRawPointer(pointer))
    return pointer
  }

  func own<Element>(_ value: Element) -> UnsafeRawPointer { UnsafeRawPointer(own([value])) }

  var threads: Int32 { Int32(addresses.threads) }

  private func bind(_ step: PlannedStep) throws(EngineError) -> (lgc_step_kind, UnsafeRawPointer) {
    switch step.work {
    case .call(let call): return (LGC_STEP_CALL, try bind(call, step))
    case .loop(let loop): return (LGC_STEP_LOOP, bind(loop))
    case .product(let product): return (LGC_STEP_PRODUCT, bind(product))
    case .copy(let copy): return (LGC_STEP_COPY, bind(copy))
    case .fold(let fold): return (LGC_STEP_FOLD, bind(fold))
    case .window(let window): return (LGC_STEP_WINDOW, bind(window))
    case .take(let take): return (LGC_STEP_TAKE, bind(take))
    case .fill(let buffer, let value):
      let fill = lgc_fill(
        to: address(buffer), count: Int64(plan.buffers[buffer].count), value: value)
      return (LGC_STEP_FILL, own(fill))
    case .random(let buffer, let counter, let stream):
      let random = lgc_random(
        to: address(buffer), count: Int64(plan.buffers[buffer].count), stream: stream,
        counter: address(counter), threads: threads)
      return (LGC_STEP_RANDOM, own(random))
    }
  }

  private func bind(_ planned: PlannedLoop) -> UnsafeRawPointer {
    let operands = own(
      planned.operands.map { operand -> lgc_operand in
        let base: UnsafeMutablePointer<Float>? =
          switch operand.base {
          case .temporary: nil
          case .buffer(let buffer): address(buffer)
          case .constant(let number): own([number])
          }
        return lgc_operand(
          layout: operand.layout.rawValue, base: base, cells: operand.cells.value)
      })
    let reductions = own(
      planned.reductions.map { reduction in
        lgc_reduction(
          kept: reduction.kept.rawValue, maximum: reduction.maximum ? 1 : 0,
          source: Int16(reduction.source), cells: reduction.cells.value,
          out: address(reduction.buffer), partial: nil)
      })
    var loop = lgc_loop()
    loop.rows = Int64(planned.space.rows)
    loop.columns = Int64(planned.space.columns)
    loop.operands = UnsafePointer(operands)
    loop.instructions = UnsafePointer(own(planned.instructions))
    loop.reductions = reductions
    loop.operand_count = Int32(planned.operands.count)
    loop.instruction_count = Int32(planned.instructions.count)
    loop.reduction_count = Int32(planned.reductions.count)
    loop.threads = threads
    loop.scratch = addresses.scratch.assumingMemoryBound(to: Float.self)
    lgc_loop_prepare(&loop)
    var partial = addresses.partials
    for index in planned.reductions.indices {
      let bytes = Int(lgc_loop_partial_bytes(&loop, Int32(index)))
      if bytes > 0 { reductions[index].partial = partial }
      partial += (bytes + 63) / 64 * 64
    }
    return own(loop)
  }

  private func bind(_ planned: PlannedProduct) -> UnsafeRawPointer {
    var product = planned.geometry
    product.threads = threads
    product.scratch = planned.scratch.map { address($0) }
    product.scratch_floats = withUnsafePointer(to: product) { lgc_product_scratch($0) }
    product.a = UnsafePointer(address(planned.left))
    product.b = UnsafePointer(address(planned.right))
    product.outs = own(planned.results.map { address($0) })
    product.bias = planned.bias.map { UnsafePointer(address($0)) }
    product.statuses = own([Int32](repeating: 0, count: planned.parts))
    return own(product)
  }

  private func bind(
    _ planned: PlannedCall, _ step: PlannedStep
  ) throws(EngineError) -> UnsafeRawPointer {
    func pointer(_ buffer: Int?) -> UnsafeMutablePointer<Float>? { buffer.map { address($0) } }
    let call = lgc_call_create(
      planned.primitive.handle, pointer(planned.x), pointer(planned.weight),
      pointer(planned.bias), pointer(planned.y), pointer(planned.scratch))
    guard let call else {
      throw EngineError("oneDNN has no memory for the \(step.label)", origin: step.origin)
    }
    calls.append(call)
    return UnsafeRawPointer(call)
  }

  private func bind(_ planned: PlannedCopy) -> UnsafeRawPointer {
    var copy = lgc_copy()
    copy.rank = Int32(planned.walk.axes.count)
    copy.threads = threads
    copy.to = address(planned.to) + planned.toOffset
    copy.from = UnsafePointer(address(planned.from) + planned.fromOffset)
    store(planned.walk.axes.map(\.extent), in: &copy.extents)
    store(planned.walk.axes.map(\.to), in: &copy.to_strides)
    store(planned.walk.axes.map(\.from), in: &copy.from_strides)
    return own(copy)
  }

  private func bind(_ planned: PlannedFold) -> UnsafeRawPointer {
    var fold = lgc_fold()
    fold.rank = Int32(planned.walk.axes.count)
    fold.threads = threads
    fold.maximum = planned.maximum ? 1 : 0
    fold.to = address(planned.to)
    fold.from = UnsafePointer(address(planned.from))
    fold.count = Int64(plan.buffers[planned.to].count)
    store(planned.walk.axes.map(\.extent), in: &fold.extents)
    store(planned.walk.axes.map(\.to), in: &fold.to_strides)
    store(planned.walk.axes.map(\.from), in: &fold.from_strides)
    return own(fold)
  }

  /// C arrays of fixed length are tuples in Swift.
  private func store<Tuple>(_ values: [Int], in tuple: inout Tuple) {
    withUnsafeMutableBytes(of: &tuple) { bytes in
      let numbers = bytes.bindMemory(to: Int64.self)
      for (index, value) in values.enumerated() { numbers[index] = Int64(value) }
    }
  }
}

extension PlannedLoop {
  /// Bytes that the loop needs beside its buffers: tiles for one thread, and partial results.
  var memory: (scratch: Int, partials: Int) {
    var nothing: Float = 0
    return withUnsafeMutablePointer(to: &nothing) { nothing in
      var operands = operands.map {
        lgc_operand(layout: $0.layout.rawValue, base: nil, cells: $0.cells.value)
      }
      var instructions = instructions
      var reductions = reductions.map {
        lgc_reduction(
          kept: $0.kept.rawValue, maximum: 0, source: Int16($0.source), cells: $0.cells.value,
          out: nothing, partial: nil)
      }
      var loop = lgc_loop()
      loop.rows = Int64(space.rows)
      loop.columns = Int64(space.columns)
      loop.operand_count = Int32(operands.count)
      loop.instruction_count = Int32(instructions.count)
      loop.reduction_count = Int32(reductions.count)
      return withUnsafeMutablePointers(&operands, &instructions, &reductions) {
        loop.operands = UnsafePointer($0)
        loop.instructions = UnsafePointer($1)
        loop.reductions = $2
        lgc_loop_prepare(&loop)
        let partials = (0..<loop.reduction_count).reduce(0) {
          $0 + (Int(lgc_loop_partial_bytes(&loop, $1)) + 63) / 64 * 64
        }
        return (Int(lgc_loop_scratch_bytes(&loop)), partials)
      }
    }
  }

  private func withUnsafeMutablePointers<A, B, C, Result>(
    _ a: inout [A], _ b: inout [B], _ c: inout [C],
    _ body: (UnsafeMutablePointer<A>?, UnsafeMutablePointer<B>?, UnsafeMutablePointer<C>?) -> Result
  ) -> Result {
    a.withUnsafeMutableBufferPointer { a in
      b.withUnsafeMutableBufferPointer { b in
        c.withUnsafeMutableBufferPointer { c in
          body(a.baseAddress, b.baseAddress, c.baseAddress)
        }
      }
    }
  }
}
