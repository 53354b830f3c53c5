/// One spatial axis of a convolution or a pooling window: `extent` elements, `low` and `high`
/// positions of padding before and after them, and a window of `kernel` taps `dilation` apart that
/// moves by `stride`.
///
/// Output o reads the positions o·stride + t·dilation − low for the taps t = 0 … kernel − 1; those
/// outside 0 ..< extent are padding.
public struct WindowAxis: Hashable, Sendable {
  public let extent: Int
  public let kernel: Int
  public let stride: Int
  public let dilation: Int
  public let low: Int
  public let high: Int

  public init(
    extent: Int, kernel: Int, stride: Int = 1, dilation: Int = 1, low: Int = 0, high: Int = 0
  ) {
    self.extent = extent
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.low = low
    self.high = high
  }

  /// From the first tap's position to the last one's, both included.
  public var reach: Int { (kernel - 1) * dilation + 1 }
  /// Outputs along the axis; 0 where the window does not fit.
  public var outputs: Int {
    let room = low + extent + high - reach
    return room < 0 ? 0 : room / stride + 1
  }
  /// The position that tap `tap` of output `output` reads, nil for padding.
  public func position(output: Int, tap: Int) -> Int? {
    let position = output * stride + tap * dilation - low
    return 0 <= position && position < extent ? position : nil
  }

  var text: String {
    "\(extent)k\(kernel)s\(stride)" + (dilation == 1 ? "" : "d\(dilation)") + "p\(low),\(high)"
  }
  var isValid: Bool {
    extent > 0 && kernel > 0 && stride > 0 && dilation > 0 && low >= 0 && high >= 0 && outputs > 0
  }
}

extension [WindowAxis] {
  var text: String { "axes=[\(map(\.text).joined(separator: " "))]" }
}
