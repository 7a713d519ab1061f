import Crypto
import MartletModel

/// Customers made from a seed: the same number is always the same customer.
struct Synthetic {
    let seed: UInt64
    /// Number of the first; the others follow. Nil: numbers of three countries.
    var firstNumber: UInt64?

    init(seed: UInt64, firstNumber: UInt64? = nil) {
        self.seed = seed
        self.firstNumber = firstNumber
    }

    /// As well mixed as a keyed hash.
    @inline(__always)
    func mix(_ number: UInt64, _ salt: UInt64) -> UInt64 {
        var z = (number ^ salt &<< 56) &* 0x9E37_79B9_7F4A_7C15 &+ seed
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    func reference(_ number: Int) -> UInt64 { mix(UInt64(number), 1) }
    func phoneHash(_ number: Int) -> UInt64 { mix(UInt64(number), 2) }
    func mailHash(_ number: Int) -> UInt64 { mix(UInt64(number), 3) }

    private static let given = ["Олена", "Андрій", "Наталія", "Сергій", "Айгерим", "Нурлан", "Olivia", "James"]
    private static let family = ["Шевченко", "Коваленко", "Бондаренко", "Мельник", "Ахметова", "Сулейменов", "Taylor", "Wright"]

    /// Numbers of Ukraine, Kazakhstan and the United Kingdom, out of ranges that no subscriber has or that are kept for fiction.
    private func phone(_ number: Int) -> UInt64 {
        let digits = UInt64(number)
        if let firstNumber { return firstNumber + digits }
        return switch number % 3 {
        case 0: 380_000_000_000 + digits
        case 1: 70_000_000_000 + digits
        default: 447_000_000_000 + digits
        }
    }

    func customer(_ number: Int) -> Customer {
        let dice = mix(UInt64(number), 4)
        let locales: [CustomerLocale?] = [CustomerLocale("uk-UA"), CustomerLocale("kk-KZ"), CustomerLocale("en-GB")]
        return Customer(
            subject: SubjectNumber(number + 1), version: UInt32(dice & 1023), unit: UInt16(dice >> 10 & 255),
            segment: UInt16(dice >> 18 & 15),
            tier: UInt16(dice >> 22 & 3), zone: UInt16(dice >> 24 & 3), locale: locales[number % 3] ?? .none,
            packages: [PackageSubscription(package: UInt16(dice >> 26 & 63), from: UInt16(18_000 + dice >> 32 & 1023))],
            consents: [
                Consent(purpose: 1, channel: .sms, state: .given, at: 1_700_000_000 + UInt32(dice >> 40 & 0xFFFF)),
                Consent(purpose: 2, channel: .email, state: .withdrawn, at: 1_700_000_000 + UInt32(dice >> 44 & 0xFFFF)),
            ],
            contacts: [
                ContactPoint(number: 1, kind: .phone, isVerified: true), ContactPoint(number: 2, kind: .email, isVerified: dice & 1 == 0),
            ])
    }

    func details(_ number: Int) -> CustomerDetails {
        let dice = mix(UInt64(number), 5)
        return CustomerDetails(
            givenName: Synthetic.given[Int(dice & 7)], familyName: Synthetic.family[Int(dice >> 3 & 7)],
            addresses: [
                .init(number: 1, value: .phone(phone(number))), .init(number: 2, value: .text("customer\(number)@mail.example")),
            ])
    }

    /// 32 bytes, another for each customer. (The product's are random, and wrapped.)
    func key(_ subject: SubjectNumber) -> SymmetricKey {
        let words = (mix(UInt64(subject), 6), mix(UInt64(subject), 7), mix(UInt64(subject), 8), mix(UInt64(subject), 9))
        return withUnsafeBytes(of: words) { SymmetricKey(data: $0) }
    }
}
