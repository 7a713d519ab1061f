/// What is personal of a customer: at rest only as ciphertext under the customer's own key.
public struct CustomerDetails: Equatable, Sendable {
    /// As the bank's systems name the customer.
    public var reference: String
    public var givenName: String
    public var familyName: String
    /// By the number of their contact point.
    public var addresses: [Address]
    public var attributes: [CustomerAttribute]
    /// Of the accounts and cards for which packages are connected.
    public var scopes: [ScopeTail]

    public init(
        reference: String = "", givenName: String = "", familyName: String = "", addresses: [Address] = [],
        attributes: [CustomerAttribute] = [], scopes: [ScopeTail] = []
    ) {
        self.reference = reference
        self.givenName = givenName
        self.familyName = familyName
        self.addresses = addresses
        self.attributes = attributes
        self.scopes = scopes
    }

    /// By what a person knows an account or card again, whose whole number is kept nowhere.
    public struct ScopeTail: Hashable, Sendable {
        public var scope: PackageSubscription.Scope
        /// The last four letters or digits at most, never more than half of the number.
        public var tail: String

        public init(_ scope: PackageSubscription.Scope, tail: String) {
            self.scope = scope
            self.tail = tail
        }
    }

    public func tail(_ scope: PackageSubscription.Scope) -> String? { scopes.first { $0.scope == scope }?.tail }

    public struct Address: Hashable, Sendable {
        public var number: UInt8
        public var value: Value

        public init(number: UInt8, value: Value) {
            self.number = number
            self.value = value
        }

        public enum Value: Hashable, Sendable {
            /// An international number, digits only.
            case phone(UInt64)
            /// A mail address or a device's token, at most 4096 bytes.
            case text(String)
        }
    }

    public func address(_ number: UInt8) -> Address.Value? { addresses.first { $0.number == number }?.value }
}
