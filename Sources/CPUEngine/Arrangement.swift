import CKernels
import Tensors

/// How a tensor [batch, channels, extents…] lies in memory.
enum Arrangement: Hashable, CaseIterable {
  /// As it is written.
  case channelsFirst
  /// [batch, extents…, channels]
  case channelsLast
  /// [batch, channels/16, extents…, 16]
  case channelsBlocked
}

extension Arrangement {
  var value: lgc_arrangement {
    switch self {
    case .channelsFirst: LGC_CHANNELS_FIRST
    case .channelsLast: LGC_CHANNELS_LAST
    case .channelsBlocked: LGC_CHANNELS_BLOCKED
    }
  }

  private static let block = Int(LGC_BLOCK)

  /// The shape with the axes that the arrangement turns, still in the order of the tensor.
  func split(_ shape: Shape) -> Shape {
    guard self == .channelsBlocked else { return shape }
    return [shape[0], shape[1] / Arrangement.block, Arrangement.block] + shape[2...]
  }

  /// Memory axis k is axis `permutation[k]` of the split shape.
  func permutation(_ rank: Int) -> [Int] {
    switch self {
    case .channelsFirst: Array(0..<rank)
    case .channelsLast: [0] + Array(2..<rank) + [1]
    case .channelsBlocked: [0, 1] + Array(3...rank) + [2]
    }
  }

  /// The shape of the memory.
  func memory(_ shape: Shape) -> Shape {
    let split = split(shape)
    return permutation(shape.count).map { split[$0] }
  }

  /// The memory axes along which channels are counted, of a tensor of so many memory axes.
  func channelAxes(_ rank: Int) -> [Int] {
    switch self {
    case .channelsFirst: [1]
    case .channelsLast: [rank - 1]
    case .channelsBlocked: [1, rank - 1]
    }
  }

  /// The memory axes of some axes of a tensor.
  func axes(_ axes: [Int], of shape: Shape) -> [Int] {
    axes.flatMap { axis -> [Int] in
      if axis == 1 { return channelAxes(memory(shape).count) }
      return [self == .channelsLast && axis > 1 ? axis - 1 : axis]
    }.sorted()
  }

  /// Whether these axes alone lie in memory in their own order: channels move behind the others.
  func keepsOrder(_ axes: [Int], of shape: Shape) -> Bool {
    if self == .channelsFirst { return true }
    let wide = axes.filter { shape[$0] != 1 }
    return !wide.contains(1) || wide.allSatisfy { $0 < 2 }
  }
}

extension EngineConvolution {
  /// How good oneDNN's code is.
  enum Quality: Int, Comparable {
    case none, reference, product, own
    static func < (a: Quality, b: Quality) -> Bool { a.rawValue < b.rawValue }
  }

  func quality(_ threads: Int) -> Quality {
    let code = withValue(bias: false, relu: false, threads) { lgc_convolution_probe(&$0) }
    return Quality(rawValue: Int(code))!
  }

  /// Whether x or y has whole blocks of channels.
  var hasBlocks: Bool { inputs % Int(LGC_BLOCK) == 0 || outputs % Int(LGC_BLOCK) == 0 }

  /// The convolution with x and y arranged, the preferred way first.
  func candidates(_ preference: Arrangement) -> [EngineConvolution] {
    func with(_ x: Arrangement, _ y: Arrangement) -> EngineConvolution {
      var copy = self
      copy.xArrangement = x
      copy.yArrangement = y
      return copy
    }
    func blocked(_ channels: Int) -> Arrangement {
      channels % Int(LGC_BLOCK) == 0 ? .channelsBlocked : .channelsFirst
    }
    let inBlocks = with(blocked(inputs), blocked(outputs))
    let last = with(.channelsLast, .channelsLast)
    let first = with(.channelsFirst, .channelsFirst)
    switch preference {
    case .channelsFirst: return [first]
    case .channelsLast: return [last, first, inBlocks]
    case .channelsBlocked: return [inBlocks, last, first]
    }
  }

  /// The first candidate with code of oneDNN's own, else the best: one operand in an arrangement
  /// that another does not go with may end in a reference implementation, a hundred times slower.
  func arranged(_ preference: Arrangement, _ threads: Int) -> EngineConvolution {
    let candidates = candidates(preference)
    let qualities = candidates.map { $0.quality(threads) }
    let best = qualities.max()!
    return candidates[qualities.firstIndex(of: best)!]
  }
}
