/// What a description may measure, so that no text can exhaust memory, stack or patience.
public struct Limits: Sendable {
  /// Bytes of text.
  public var bytes = 8 << 20
  /// Lists and mappings within one another, aliases expanded.
  public var depth = 64
  /// `residual`, `repeat` and `parallel` within one another. A block written out takes four levels at
  /// most, so the resolved text of a description stays within `depth`.
  public var blocks = 14
  /// Scalars (keys too), lists and mappings, aliases expanded.
  public var nodes = 100_000
  /// Errors that are looked for and told: each costs a search for the word that was meant.
  public var errors = 1000

  public init() {}
  public static let standard = Limits()
}
