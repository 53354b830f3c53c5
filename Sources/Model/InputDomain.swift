import Rounding

extension Network {
  /// ` for inputs in [0, 1]`: what a bound of this network is to be read with; empty where it holds
  /// everywhere.
  public var domainText: String { domain.map { " for inputs in \($0.domainText)" } ?? "" }
}
