public import Guard
import MartletEngine
public import MartletModel
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

    /// The offer of one release, which never changes.
    private final class Offers: Sendable {
        private let kept = Mutex<(release: Int64, offer: OwnOffer)?>(nil)

        func offer(of release: Int64) -> OwnOffer? { kept.withLock { $0?.release == release ? $0?.offer : nil } }
        func keep(_ offer: OwnOffer, of release: Int64) { kept.withLock { $0 = (release, offer) } }
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
        let (person, subject) = try SelfService.own(caller)
        let offer = try await offer()
        let view = try await customers.get(subject, by: person)
        let day = today(of: view, offer)
        // What is over is connected no more, though its row is still there.
        let held = view.packages.filter { $0.until.map { $0 >= day } ?? true }
        func connected(_ number: UInt16) -> [OwnPackage] { held.filter { $0.package == number }.map { OwnPackage($0) } }
        var packages = offer.packages
        for index in packages.indices { packages[index].connected = connected(packages[index].package) }
        // What was connected when another release held, and is no longer offered, is there all the same.
        for number in Set(held.map(\.package)).subtracting(packages.map(\.package)).sorted() {
            packages.append(OfferedPackage(package: number, connected: connected(number)))
        }
        let own = OwnPackages(
            packages: packages, fixed: offer.fixed, eventTypes: offer.eventTypes, withoutEffect: offer.withoutEffect(packages))
        return (view.version, own)
    }

    /// All of the customer's packages are then these. First and last days are the bank's: a new one, or one that was over, begins now.
    /// - Parameter version: of the customer, as it was read.
    public func connect(_ wishes: [OwnPackageWish], version: Int64, by caller: Caller) async throws(DeskFault) {
        let (own, subject) = try SelfService.own(caller)
        let offer = try await offer()
        let view = try await customers.get(subject, by: own)
        let known = Set(offer.packages.map(\.package)).union(view.packages.map(\.package))
        // What the customer has already may stay, whatever is offered now.
        let types = Set(offer.eventTypes.map(\.eventType)).union(view.packages.flatMap(\.thresholds).map(\.eventType))
        var wish = CustomerWish()
        var faults: [FieldFault] = []
        var packages: [CustomerView.PackageView] = []
        for (index, one) in wishes.enumerated() {
            if !known.contains(one.package) {
                faults.append(FieldFault("packages[\(index)].package", "unknown", "there is no such package"))
            }
            packages.append(one.view("packages[\(index)]", types, &faults))
        }
        wish.packages = packages
        var draft = CustomerDraft()
        do throws(DeskFault) {
            draft = try wish.draft(customers.vault.hashes, customers.names)
        } catch {
            guard case .invalid(let more) = error else { throw error }
            faults += more
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        draft.keepsDays(today: today(of: view, offer))
        let made = draft
        _ = try await customers.change(subject, made, version: version, by: own)
    }

    // MARK: Wishes and consents

    public func preferences(by caller: Caller) async throws(DeskFault) -> (version: UInt32, preferences: OwnPreferences) {
        let (own, subject) = try SelfService.own(caller)
        let view = try await customers.get(subject, by: own)
        return (view.version, OwnPreferences(view.preferences ?? .init(channelsOff: [], mutedEventTypes: []), try await offer()))
    }

    public func set(_ preferences: OwnPreferences, version: Int64, by caller: Caller) async throws(DeskFault) {
        let (own, subject) = try SelfService.own(caller)
        let muted = try await customers.get(subject, by: own).preferences?.mutedEventTypes ?? []
        let types = Set(try await offer().eventTypes.map(\.eventType)).union(muted)
        let unknown = preferences.mutedEventTypes.enumerated().filter { !types.contains($0.element) }.map {
            FieldFault("mutedEventTypes[\($0.offset)]", "unknown", "there is no such event type")
        }
        guard unknown.isEmpty else { throw .invalid(unknown) }
        var wish = CustomerWish()
        wish.preferences = preferences.view
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
        let said = try await customers.get(subject, by: own).consents.map(\.purpose)
        guard try await offer().purposes.union(said).contains(purpose) else {
            throw .invalid([FieldFault("purpose", "unknown", "there is no such purpose")])
        }
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

    /// Days since 1970 where the customer lives.
    private func today(of view: CustomerView, _ offer: OwnOffer) -> UInt16 {
        var customer = Customer(subject: view.id)
        (customer.zone, customer.unit) = (view.zone, view.unit)
        return offer.zones.day(of: customer, at: customers.desk.now(), zoneFile: rulebooks.world.zoneFile)
    }

    private func offer() async throws(DeskFault) -> OwnOffer {
        let rulebooks = rulebooks
        let offers = offers
        return try await rulebooks.desk.read(.readRulebook, by: .system("self-service")) { session in
            guard let release = try rulebooks.newestRelease(session) else { return OwnOffer() }
            if let known = offers.offer(of: release.number) { return known }
            let parts = try rulebooks.parts(release, session)
            let entries = try rulebooks.entries(session)
            let source = RulebookSource(number: release.number, at: release.at, objects: parts.map(\.object))
            let rules = DecisionBook.compile(source, in: Rulebook.Surroundings(), zoneFile: rulebooks.world.zoneFile).rulebook.decisions
            let offer = OwnOffer(rules, Dictionary(uniqueKeysWithValues: entries.map { ($0.path, $0) }))
            offers.keep(offer, of: release.number)
            return offer
        }
    }
}
