/// Double arithmetic rounded up or down: the nearest double on the stated side of the exact
/// result, or the exact result where it is a double.
///
/// Each operation rounds to nearest and asks for the sign of its error: of a sum by two-sum, of
/// the others by one fused multiply-add, whose own rounding cannot change a sign unless it
/// underflows. Below `fusedLimit` the error could underflow, and one step is taken regardless.
public enum Directed {
  /// 2⁻⁹⁰⁰: above it the error of a product, quotient or root is far from underflow.
  private static let fusedLimit = 0x1p-900

  /// a + b rounded up; both finite or +∞.
  public static func sumUp(_ a: Double, _ b: Double) -> Double {
    let sum = a + b
    guard sum.isFinite else { return sum == -.infinity ? -Double.greatestFiniteMagnitude : sum }
    // Near overflow two-sum's intermediates are not finite: one step up is right in any case.
    if sum.magnitude > 0x1p1022 { return a == 0 || b == 0 ? sum : sum.nextUp }
    return sumError(a, b, sum) > 0 ? sum.nextUp : sum
  }

  /// a + b rounded down; both finite.
  public static func sumDown(_ a: Double, _ b: Double) -> Double { -sumUp(-a, -b) }

  /// a · b rounded up; both ≥ 0, not 0 · ∞.
  public static func productUp(_ a: Double, _ b: Double) -> Double {
    let product = a * b
    guard product.isFinite else { return product }
    if product < fusedLimit { return a == 0 || b == 0 ? 0 : product.nextUp }
    return (-product).addingProduct(a, b) > 0 ? product.nextUp : product
  }

  /// a · b rounded down; both ≥ 0 and finite.
  public static func productDown(_ a: Double, _ b: Double) -> Double {
    let product = a * b
    guard product.isFinite else { return .greatestFiniteMagnitude }
    if product < fusedLimit { return product == 0 ? 0 : product.nextDown }
    return (-product).addingProduct(a, b) < 0 ? product.nextDown : product
  }

  /// a / b rounded up; a ≥ 0 and finite, b > 0 and finite.
  public static func quotientUp(_ a: Double, _ b: Double) -> Double {
    let quotient = a / b
    guard quotient.isFinite else { return quotient }
    if quotient < fusedLimit || a < fusedLimit { return a == 0 ? 0 : quotient.nextUp }
    return a.addingProduct(-quotient, b) > 0 ? quotient.nextUp : quotient
  }

  /// a / b rounded down; a ≥ 0 and finite, b > 0 and finite.
  public static func quotientDown(_ a: Double, _ b: Double) -> Double {
    let quotient = a / b
    guard quotient.isFinite else { return .greatestFiniteMagnitude }
    if quotient < fusedLimit || a < fusedLimit { return quotient == 0 ? 0 : quotient.nextDown }
    return a.addingProduct(-quotient, b) < 0 ? quotient.nextDown : quotient
  }

  /// √x rounded up; x ≥ 0.
  public static func squareRootUp(_ x: Double) -> Double {
    let root = x.squareRoot()
    guard root.isFinite, x != 0 else { return root }
    if x < fusedLimit { return root.nextUp }
    return x.addingProduct(-root, root) > 0 ? root.nextUp : root
  }

  /// √x rounded down; x ≥ 0 and finite.
  public static func squareRootDown(_ x: Double) -> Double {
    let root = x.squareRoot()
    guard x != 0 else { return root }
    if x < fusedLimit { return root.nextDown }
    return x.addingProduct(-root, root) < 0 ? root.nextDown : root
  }

  /// x · 2^exponent rounded up; x ≥ 0.
  public static func scaledUp(_ x: Double, exponent: Int) -> Double {
    guard x != 0, x.isFinite else { return x }
    let scaled = scalb(x, exponent)
    return scaled < 0x1p-1020 ? scaled.nextUp : scaled
  }

  /// x · 2^exponent rounded down; x ≥ 0 and finite.
  public static func scaledDown(_ x: Double, exponent: Int) -> Double {
    guard x != 0 else { return x }
    let scaled = scalb(x, exponent)
    if scaled == .infinity { return .greatestFiniteMagnitude }
    return scaled < 0x1p-1020 ? max(0, scaled.nextDown) : scaled
  }

  private static func scalb(_ x: Double, _ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: x)
  }

  /// The exact a + b − sum (Knuth's two-sum; it cannot underflow).
  private static func sumError(_ a: Double, _ b: Double, _ sum: Double) -> Double {
    let part = sum - a
    return (a - (sum - part)) + (b - part)
  }
}
