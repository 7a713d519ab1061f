import Guard
import MartletModel

/// What a request says of a customer. A field that is not there stays as it is; an empty text, an empty list or 0 takes away.
public struct CustomerWish: Codable, Sendable {
    public struct ContactWish: Codable, Sendable {
        /// `phone`, `email`, `device`.
        public var kind: String
        /// A phone number with `+`, a mail address, a device's token.
        public var value: String
        public var isVerified: Bool?
        public var isForbidden: Bool?
        public var app: UInt16?
        public var platform: String?

        public init(
            kind: String, value: String, isVerified: Bool? = nil, isForbidden: Bool? = nil, app: UInt16? = nil, platform: String? = nil
        ) {
            self.kind = kind
            self.value = value
            self.isVerified = isVerified
            self.isForbidden = isForbidden
            self.app = app
            self.platform = platform
        }
    }

    public struct AttributeWish: Codable, Sendable {
        public var attribute: String
        /// Empty: taken away.
        public var value: String

        public init(attribute: String, value: String) {
            self.attribute = attribute
            self.value = value
        }
    }

    public var reference: String?
    public var status: String?
    public var unit: UInt16?
    public var segment: UInt16?
    public var tier: UInt16?
    public var zone: UInt16?
    public var locale: String?
    public var givenName: String?
    public var familyName: String?
    /// All of the customer's contact points, the preferred one first.
    public var contacts: [ContactWish]?
    /// All of the customer's packages.
    public var packages: [CustomerView.PackageView]?
    public var preferences: CustomerView.PreferencesView?
    public var attributes: [AttributeWish]?

    public init() {}

    /// - Throws: `.invalid` with every field that does not hold.
    func draft(_ hashes: CustomerHashes, _ names: CustomerNames) throws(DeskFault) -> CustomerDraft {
        var draft = CustomerDraft()
        var faults: [FieldFault] = []
        if let reference {
            do throws(FieldFault) {
                draft.reference = try CustomerText.reference(reference)
                draft.referenceHash = hashes.reference(draft.reference)
            } catch {
                faults.append(error)
            }
        }
        if let status {
            draft.status = CustomerStatus(word: status)
            if draft.status == nil { faults.append(FieldFault("status", "unknown", CustomerText.statuses)) }
        }
        func say(_ value: UInt16?) -> CustomerDraft.Say<UInt16> { value.map { .set($0) } ?? .nothing }
        (draft.unit, draft.segment, draft.tier, draft.zone) = (say(unit), say(segment), say(tier), say(zone))
        if let locale {
            if let known = CustomerLocale(locale) {
                draft.locale = .set(known)
            } else {
                faults.append(FieldFault("locale", "malformed", CustomerText.localeForm))
            }
        }
        for (field, value, path) in [(givenName, \CustomerDraft.givenName, "givenName"), (familyName, \.familyName, "familyName")] {
            guard let field else { continue }
            do throws(FieldFault) {
                draft[keyPath: value] = .set(try CustomerText.name(field, path))
            } catch {
                faults.append(error)
            }
        }
        if let contacts { read(contacts, hashes, &draft, &faults) }
        if let packages { read(packages, hashes, &draft, &faults) }
        if let preferences { read(preferences, &draft, &faults) }
        for (index, wish) in (attributes ?? []).enumerated() {
            do throws(FieldFault) {
                draft.attributes.append(try CustomerText.attribute(wish.attribute, wish.value, names, "attributes[\(index)]"))
            } catch {
                faults.append(error)
            }
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        return draft
    }

    private func read(_ wishes: [ContactWish], _ hashes: CustomerHashes, _ draft: inout CustomerDraft, _ faults: inout [FieldFault]) {
        var lists: [AddressKind: [CustomerDraft.Address]] = [.phone: [], .email: [], .device: []]
        for (index, wish) in wishes.enumerated() {
            let path = "contacts[\(index)]"
            do throws(FieldFault) {
                var address: CustomerDraft.Address
                switch wish.kind {
                case "phone": address = try CustomerText.phone(wish.value.utf8, hashes, "\(path).value")
                case "email": address = try CustomerText.mail(Array(wish.value.utf8), hashes, "\(path).value")
                case "device":
                    address = try CustomerText.device(wish.value, app: wish.app, platform: wish.platform, hashes, path)
                default: throw FieldFault("\(path).kind", "unknown", "phone, email or device")
                }
                address.isVerified = wish.isVerified ?? false
                address.isForbidden = wish.isForbidden ?? false
                lists[AddressKind(address.kind), default: []].append(address)
            } catch {
                faults.append(error)
            }
        }
        draft.phones = .set(lists[.phone] ?? [])
        draft.mails = .set(lists[.email] ?? [])
        draft.devices = .set(lists[.device] ?? [])
    }

    private func read(
        _ wishes: [CustomerView.PackageView], _ hashes: CustomerHashes, _ draft: inout CustomerDraft, _ faults: inout [FieldFault]
    ) {
        var lists: [PackageScopeKind: [CustomerDraft.Package]] = [:]
        for (index, wish) in wishes.enumerated() {
            let path = "packages[\(index)]"
            let terms = PackageSubscription(
                package: wish.package, from: wish.from, until: wish.until,
                channels: wish.channels.map { channels($0, "\(path).channels", &faults) },
                thresholds: wish.thresholds.map { .init(eventType: $0.eventType, amount: $0.amount, currency: $0.currency) },
                isPaused: wish.isPaused)
            do throws(FieldFault) {
                switch (wish.account, wish.card) {
                case (nil, nil): lists[.all, default: []].append(.init(terms: terms, path: path))
                case (let account?, nil):
                    lists[.account, default: []].append(try CustomerText.package(terms, .account, account, hashes, "\(path).account"))
                case (nil, let card?):
                    lists[.card, default: []].append(try CustomerText.package(terms, .card, card, hashes, "\(path).card"))
                case (_?, _?): throw FieldFault("\(path).card", "not_allowed", "a package is for an account or for a card")
                }
            } catch {
                faults.append(error)
            }
        }
        draft.packages = .set(lists[.all] ?? [])
        draft.accountPackages = .set(lists[.account] ?? [])
        draft.cardPackages = .set(lists[.card] ?? [])
    }

    private func read(_ wish: CustomerView.PreferencesView, _ draft: inout CustomerDraft, _ faults: inout [FieldFault]) {
        var quiet: Preferences.QuietHours?
        if let from = wish.quietFrom, let until = wish.quietUntil {
            quiet = Preferences.QuietHours(from: from, until: until)
        }
        if (wish.quietFrom == nil) != (wish.quietUntil == nil) || [wish.quietFrom, wish.quietUntil].contains(where: { $0 ?? 0 > 1439 }) {
            faults.append(FieldFault("preferences.quietFrom", "range", "quietFrom and quietUntil, each 0 to 1439 minutes of the day"))
        }
        if let quiet, quiet.from == quiet.until {
            faults.append(
                FieldFault("preferences.quietUntil", "range", "it is quietFrom, so it would be quiet all day; leave both out for no quiet"))
        }
        draft.preferences = .set(
            Preferences(
                at: 0, quiet: quiet, channelsOff: channels(wish.channelsOff, "preferences.channelsOff", &faults),
                mutedEventTypes: wish.mutedEventTypes))
    }

    private func channels(_ words: [String], _ path: String, _ faults: inout [FieldFault]) -> ChannelSet {
        let known = words.compactMap { ChannelKind(word: $0) }
        if known.count < words.count { faults.append(FieldFault(path, "unknown", CustomerText.channels)) }
        return ChannelSet(known)
    }
}
