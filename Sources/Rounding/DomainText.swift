extension ClosedRange<Double> {
  /// `[0, 1]`, each end the nearest float32 in its shortest digits: the slack in which a domain takes
  /// in what rounding made of its samples is not shown.
  public var domainText: String {
    func short(_ value: Double) -> String {
      let text = Float(value).description
      return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
    return "[\(short(lowerBound)), \(short(upperBound))]"
  }
}
