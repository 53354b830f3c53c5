/// The norm in which a Lipschitz constant is stated, the same on input and output.
public enum Norm: String, CaseIterable, Sendable, Hashable, Codable {
  case l1, l2, linf
}
