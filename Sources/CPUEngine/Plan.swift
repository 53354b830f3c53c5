import CKernels
import Tensors

/// Memory that steps read and write, in numbers of float32.
struct Buffer {
  enum Place: Equatable {
    /// Working memory, shared with buffers of other lifetimes and with other programs.
    case arena
    /// The persistent block, one place for a name in all programs.
    case state(String)
    /// Memory of the program's own: inputs, outputs, constants.
    case kept
  }
  var count: Int
  var place: Place
  /// First and last step that touch it.
  var first = Int.max
  var last = -1
  /// Bytes from the start of its place.
  var offset = 0

  var bytes: Int { (count * 4 + 63) / 64 * 64 }
}

/// A step with buffers by number; addresses exist only once the memory is planned.
struct PlannedStep {
  enum Work {
    case loop(PlannedLoop)
    case product(PlannedProduct)
    case call(PlannedCall)
    case copy(PlannedCopy)
    case fold(PlannedFold)
    case fill(buffer: Int, value: Float)
    case random(buffer: Int, counter: Int, stream: UInt64)
    case window(PlannedWindow)
    case take(PlannedTake)
  }
  var work: Work
  var label: String
  var origin: Origin?
  /// The names of all origins whose nodes it computes.
  var layers: [String] = []
}

struct PlannedLoop {
  enum Base {
    case temporary
    case buffer(Int)
    case constant(Float)
  }
  struct Operand {
    var layout: lgc_layout
    var base: Base
    var cells = Cells.none
  }
  struct Reduction {
    var kept: lgc_kept
    var maximum: Bool
    var source: Int
    var buffer: Int
    var cells = Cells.none
  }
  var space: Space
  var operands: [Operand] = []
  var instructions: [lgc_instruction] = []
  var reductions: [Reduction] = []
}

struct PlannedProduct {
  var rows: Int
  var columns: Int
  var inner: Int
  var dot: Dot
  var left: Int
  var right: Int
  /// One buffer, or one for each part of a cut along the inner extent.
  var results: [Int]
  var cut: lgc_cut
  var parts: Int
  var bias: Int?
  var relu: Bool
  /// Packing memory for kernels of our own; nil where oneDNN multiplies.
  var scratch: Int?
}

/// A primitive of oneDNN on the buffers that it takes.
struct PlannedCall {
  var primitive: LibraryPrimitive
  var x: Int?
  var weight: Int?
  var bias: Int?
  var y: Int?
  var scratch: Int?
  /// Which of these the primitive writes.
  var written: [Int] = []
  /// Floating-point operations; 0 for those that only move data.
  var operations = 0
}

struct PlannedCopy {
  var to: Int
  var from: Int
  var toOffset = 0
  var fromOffset = 0
  var walk: StridedWalk
}

struct PlannedFold {
  var to: Int
  var from: Int
  var maximum: Bool
  var walk: StridedWalk
}

extension PlannedStep {
  /// The buffers that the step reads or writes.
  var buffers: [Int] {
    switch work {
    case .loop(let loop):
      loop.operands.compactMap { if case .buffer(let buffer) = $0.base { buffer } else { nil } }
        + loop.reductions.map(\.buffer)
    case .product(let product):
      [product.left, product.right] + product.results
        + [product.bias, product.scratch].compactMap { $0 }
    case .call(let call): [call.x, call.weight, call.bias, call.y, call.scratch].compactMap(\.self)
    case .copy(let copy): [copy.to, copy.from]
    case .fold(let fold): [fold.to, fold.from]
    case .fill(let buffer, _): [buffer]
    case .random(let buffer, let counter, _): [buffer, counter]
    case .window(let window): window.buffers
    case .take(let take): [take.to, take.from]
    }
  }
}

extension PlannedStep {
  /// Whether the step is a product or a convolution, and not the order of its weights.
  var isContraction: Bool {
    switch work {
    case .product: true
    case .call(let call): call.weight != nil
    default: false
    }
  }
}

/// A program as steps over buffers.
struct Plan {
  var name: String
  var buffers: [Buffer] = []
  var steps: [PlannedStep] = []
  /// Steps that run before the others when one of `preparedStates` has changed.
  var preparation: [PlannedStep] = []
  var preparedStates: Set<String> = []
  /// States that a run replaces.
  var updatedStates: Set<String> = []
  var inputs: [String: Int] = [:]
  var outputs: [String: Int] = [:]
  /// Kept buffers with the numbers they hold from the start.
  var constants: [(buffer: Int, numbers: ConstantNumbers)] = []
  var arenaBytes = 0
  var keptBytes = 0
}

enum ConstantNumbers {
  case one(Float)
  case iota(shape: Shape, axis: Int)
}
