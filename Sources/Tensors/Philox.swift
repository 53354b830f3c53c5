import Glibc

/// Philox4×32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3" (SC 2011): a block of four words is a pure function of a key and a
/// counter, so numbers can be drawn in any order, on any engine and any number of threads.
public enum Philox {
  public typealias Key = (UInt32, UInt32)
  public typealias Block = (UInt32, UInt32, UInt32, UInt32)

  /// Ten rounds of (c₀, c₁, c₂, c₃) ← (hi(M₁c₂)⊕c₁⊕k₀, lo(M₁c₂), hi(M₀c₀)⊕c₃⊕k₁, lo(M₀c₀)), the
  /// key advanced by Weyl constants between rounds.
  public static func block(key: Key, counter: Block) -> Block {
    var (k0, k1) = key
    var (c0, c1, c2, c3) = counter
    for _ in 0..<10 {
      let p0 = c0.multipliedFullWidth(by: 0xD251_1F53)
      let p1 = c2.multipliedFullWidth(by: 0xCD9E_8D57)
      (c0, c1, c2, c3) = (p1.high ^ c1 ^ k0, p1.low, p0.high ^ c3 ^ k1, p0.low)
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (c0, c1, c2, c3)
  }

  /// The same with key and counter as two-word numbers, low word first: the counter is
  /// (`index`, `high`).
  public static func block(key: UInt64, index: UInt64, high: UInt64) -> Block {
    block(
      key: (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32)),
      counter: (
        UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32),
        UInt32(truncatingIfNeeded: high), UInt32(truncatingIfNeeded: high >> 32)
      ))
  }

  /// A 64-bit key for the named stream of a seed, for `Random` nodes. Streams of one seed differ
  /// as their names' FNV-1a hashes do; the seed is mixed by Philox itself, so that neighbouring
  /// seeds do not give related keys.
  public static func stream(seed: UInt64, name: String) -> UInt64 {
    let words = block(key: seed, index: hash(of: name), high: streamDomain)
    return UInt64(words.0) | UInt64(words.1) << 32
  }

  /// FNV-1a over the UTF-8 bytes, 64 bits. Not the standard library's hash, which is seeded anew in
  /// every process.
  public static func hash(of name: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }

  /// The counter's high half while keys are derived.
  private static let streamDomain: UInt64 = 0x6C67_632E_6B65_7973
}

/// Random words for host code (initial weights, shuffles): Philox with the key derived from
/// (seed, stream name) and the counter running from 0, so one stream never shifts another and a
/// position can be resumed by its word number.
public struct PhiloxGenerator: RandomNumberGenerator, Sendable {
  public let key: UInt64
  /// Which of the key's 2⁶⁴ sequences is drawn.
  public let sequence: UInt64
  /// The number of 32-bit words drawn so far; set it to resume.
  public var position: UInt64 = 0

  public init(seed: UInt64, stream: String) {
    self.init(key: Philox.stream(seed: seed, name: stream), sequence: 0)
  }

  /// - Parameter key: as `Philox.stream` gives it.
  public init(key: UInt64, sequence: UInt64) {
    self.key = key
    self.sequence = sequence
  }

  /// The next four words, from a multiple of four on.
  public mutating func nextBlock() -> Philox.Block {
    let index = (position + 3) / 4
    position = 4 * (index + 1)
    return Philox.block(key: key, index: index, high: sequence)
  }

  /// The next 32-bit word.
  public mutating func nextWord() -> UInt32 {
    let words = Philox.block(key: key, index: position / 4, high: sequence)
    defer { position += 1 }
    switch position % 4 {
    case 0: return words.0
    case 1: return words.1
    case 2: return words.2
    default: return words.3
    }
  }

  /// Two words, low first.
  public mutating func next() -> UInt64 {
    let low = nextWord()
    return UInt64(low) | UInt64(nextWord()) << 32
  }

  /// Uniform on [0, 1), a multiple of 2⁻⁵³.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Standard normal by Box and Muller: √(−2·ln(1 − u)) · cos 2πv.
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * Double.pi * uniform())
  }
}
