public import Guard
public import MartletModel
import MartletStore
import SQL
import Synchronization

/// What customers see and do for themselves through the bank's app or pages: their packages, wishes and consents, and nothing of anybody else. The caller is the
/// customer that a token names.
public struct SelfService: Sendable {
    let customers: Customers
    let rulebooks: Rulebooks
    private let offers = Offers()

    public init(_ customers: Customers, _ rulebooks: Rulebooks) {
        self.customers = customers
        self.rulebooks = rulebooks
    }

    /// What can be connected, and what is told in any case, by the newest release.
    struct Offer: Sendable {
        var packages: [OfferedPackage] = []
        var fixed: [OfferedEvent] = []
    }

    /// The offer of one release, which never changes.
    private final class Offers: Sendable {
        private let kept = Mutex<(release: Int64, offer: Offer)?>(nil)

        func offer(of release: Int64) -> Offer? { kept.withLock { $0?.release == release ? $0?.offer : nil } }
        func keep(_ offer: Offer, of release: Int64) { kept.withLock { $0 = (release, offer) } }
    }

    // MARK: Tokens

    /// A token for one customer, entered in the audit.
    public func token(for subject: SubjectNumber, by caller: Caller) async throws(DeskFault) -> (token: Secret, endsAt: Int64) {
        let end = customers.desk.now() / 1_000_000 + CustomerTokens.lifetime
        return try await customers.desk.act(.actForCustomers, by: caller) { session in
            _ = try customers.seen(subject, caller, session)
            let token = customers.vault.tokens.make(subject: subject, end: UInt32(clamping: end))
            return ((token, end), AuditTrail.Line(act: .customerTokenMade, object: Customers.object(subject)))
        }
    }

    // MARK: Packages

    public func packages(by caller: Caller) async throws(DeskFault) -> (version: UInt32, packages: OwnPackages) {
        let (own, subject) = try SelfService.own(caller)
        let offer = try await offer()
        let view = try await customers.get(subject, by: own)
        var packages = offer.packages
        for index in packages.indices { packages[index].connected = view.packages.filter { $0.package == packages[index].package } }
        // What was connected when another release held, and is no longer offered, is there all the same.
        let offered = Set(packages.map(\.package))
        for number in Set(view.packages.map(\.package)).subtracting(offered).sorted() {
            packages.append(OfferedPackage(package: number, connected: view.packages.filter { $0.package == number }))
        }
        return (view.version, OwnPackages(packages: packages, fixed: offer.fixed))
    }

    /// All of the customer's packages are then these. First and last days are the bank's: a new one begins today.
    /// - Parameter version: of the customer, as it was read.
    public func connect(_ wishes: [OwnPackageWish], version: Int64, by caller: Caller) async throws(DeskFault) {
        let (own, subject) = try SelfService.own(caller)
        let known = Set(try await offer().packages.map(\.package)).union(try await customers.get(subject, by: own).packages.map(\.package))
        var wish = CustomerWish()
        wish.packages = wishes.map(\.view)
        var faults: [FieldFault] = []
        for (index, one) in wishes.enumerated() where !known.contains(one.package) {
            faults.append(FieldFault("packages[\(index)].package", "unknown", "there is no such package"))
        }
        var draft = CustomerDraft()
        do throws(DeskFault) {
            draft = try wish.draft(customers.vault.hashes, customers.names)
        } catch {
            guard case .invalid(let more) = error else { throw error }
            faults += more
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        draft.keepsDays()
        let made = draft
        _ = try await customers.change(subject, made, version: version, by: own)
    }

    // MARK: Wishes and consents

    public func preferences(by caller: Caller) async throws(DeskFault) -> (version: UInt32, preferences: CustomerView.PreferencesView) {
        let (own, subject) = try SelfService.own(caller)
        let view = try await customers.get(subject, by: own)
        return (view.version, view.preferences ?? .init(channelsOff: [], mutedEventTypes: []))
    }

    public func set(_ preferences: CustomerView.PreferencesView, version: Int64, by caller: Caller) async throws(DeskFault) {
        let (own, subject) = try SelfService.own(caller)
        var wish = CustomerWish()
        wish.preferences = preferences
        do throws(DeskFault) {
            _ = try await customers.change(subject, wish, version: version, by: own)
        } catch {
            guard case .invalid(let faults) = error else { throw error }
            // Here they are the whole body.
            throw .invalid(faults.map { FieldFault($0.path.replacing("preferences.", with: ""), $0.code, $0.message) })
        }
    }

    public func consents(_ wish: PageWish, by caller: Caller) async throws(DeskFault) -> Page<ConsentEvidence> {
        let (own, subject) = try SelfService.own(caller)
        return try await customers.consents(subject, wish, by: own)
    }

    /// Given or withdrawn now; the audit has who gave the token for it.
    public func say(
        _ purpose: UInt16, _ channel: ChannelKind?, _ state: Consent.State, textVersion: String, by caller: Caller
    ) async throws(DeskFault) {
        let (own, subject) = try SelfService.own(caller)
        let statement = ConsentStatement(
            purpose: purpose, channel: channel, state: state, at: customers.desk.nowMilliseconds, way: .app, textVersion: textVersion)
        _ = try await customers.enter(statement, of: subject, by: own)
    }

    // MARK: Who asks

    /// The customer that the token names, with the rights that it takes to read and write that one record.
    private static func own(_ caller: Caller) throws(DeskFault) -> (caller: Caller, subject: SubjectNumber) {
        try caller.require(.actForCustomers)
        guard let subject = caller.subject else { throw .forbidden(.actForCustomers) }
        var own = caller
        own.rights = [.readCustomers, .writeCustomers]
        return (own, subject)
    }

    // MARK: The offer

    private func offer() async throws(DeskFault) -> Offer {
        let rulebooks = rulebooks
        let offers = offers
        return try await rulebooks.desk.read(.readRulebook, by: .system("self-service")) { session in
            guard let release = try rulebooks.newestRelease(session) else { return Offer() }
            if let known = offers.offer(of: release.number) { return known }
            let parts = try rulebooks.parts(release, session)
            let rows = try session.rows(RulebookStatements.objects, [.integer(0), .integer(Rulebooks.most)], maximum: Int(Rulebooks.most))
            let entries = try rows.map { try RulebookEntry($0, rulebooks.objectSeal) }
            let offer = Offer(parts.map(\.object), Dictionary(uniqueKeysWithValues: entries.map { ($0.path, $0) }))
            offers.keep(offer, of: release.number)
            return offer
        }
    }
}
