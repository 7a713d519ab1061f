import Guard
public import MartletModel
import MartletStore
public import SQL

extension Customers {
    /// Takes in what was born on the sending side, in the transaction of whoever follows the log: with it the cursor moves, so each fact comes in
    /// once. A fact that is older than what is known changes nothing, nor does one of a customer who was erased meanwhile. Where a customer's row
    /// is damaged, words and facts of addresses wait for it (`setAside`), and all others go on; the rest of `change` is thrown back.
    ///
    /// - Parameter change: not `.written` and not `.erased`, which only the desk makes; they are `.broken`.
    public func learn(_ change: CustomerChange, _ session: SQLSession) throws {
        switch change {
        case .consent(let subject, let consent):
            try learn(of: subject, session) { composer throws(FieldFault) in
                try composer.say(
                    ConsentStatement(
                        purpose: consent.purpose, channel: consent.channel, state: consent.state, at: Int64(consent.at) * 1000,
                        way: .handset))
            }
        case .preferences(let subject, let preferences):
            try learn(of: subject, session) { composer throws(FieldFault) in composer.learn(preferences) }
        case .device(let subject, let device): try learn(device, of: subject, session)
        case .address(let hash, let fact):
            for kind in AddressKind.allCases { try learn(fact, kind: kind, hash: hash, session) }
        case .package(let subject, let word):
            try learn(PackageSaid(subject: subject, word: word, message: .none), session)
        case .written, .erased: throw DeskFault.broken("only the desk writes and erases customers")
        }
    }

    /// Of an address whose kind is known, whoever has it now or comes with it later. What was known of it and is damaged is made anew from the fact:
    /// as long as its owner does not say otherwise, nothing that needs a consent goes there.
    /// - Parameter hash: by the key of its kind, `CustomerHashes`.
    public func learn(_ fact: AddressFact, kind: AddressKind, hash: UInt64, _ session: SQLSession) throws {
        _ = try takeChange(session)
        let known = try AddressFactRow.known([kind: [hash]], vault.tags, desk.damage, session)[kind]?[hash]
        var row = AddressFactRow(kind: kind, hash: hash, state: known ?? AddressState())
        row.state.learn(fact)
        guard row.state != known else { return }
        try session.run(CustomerStatements.putFact, row.values(vault.tags))
        var after: SubjectNumber = 0
        while true {
            let holders = try holders(of: hash, kind, after: after, limit: 500, session)
            for subject in holders {
                try learn(of: subject, waiting: .facts, session) { composer throws(FieldFault) in
                    composer.learn(row.state, kind: kind, hash: hash)
                }
            }
            guard let last = holders.last else { return }
            after = last
        }
    }

    /// What a customer said of a package from a handset. The history of packages has the moment at which the node heard it, and the message.
    public func learn(_ said: PackageSaid, _ session: SQLSession) throws {
        let circumstances = WritingCircumstances(
            // A node whose clock was ahead writes nothing into the future.
            now: min(desk.nowMilliseconds, said.word.at / 1000),
            source: said.message == .none ? "system:node" : "message:\(said.message.text)", way: .handset)
        try learn(of: said.subject, by: circumstances, waiting: .word(said), session) { composer throws(FieldFault) in
            composer.learn(said.word)
        }
    }

    private func learn(_ device: DeviceRegistration, of subject: SubjectNumber, _ session: SQLSession) throws {
        guard vault.subjects.key(subject).key != nil else { return }
        let plain = try vault.open(device.sealed, .details(of: subject), subject: subject)
        let details: CustomerDetails
        do {
            details = try plain.withUnsafeBytes { try CustomerDetails(reading: $0) }
        } catch let fault as CustomerFault {
            throw DeskFault.broken("device of customer \(subject): \(fault)")
        }
        guard let address = details.addresses.first(where: { $0.number == device.contact.number }) else {
            throw DeskFault.broken("device of customer \(subject): it has no address")
        }
        try learn(of: subject, session) { composer throws(FieldFault) in composer.learn(device, address) }
    }

    /// What becomes of a fact whose customer is set aside.
    private enum Waiting {
        /// Rows of addresses have it.
        case facts
        case word(PackageSaid)

        var word: PackageSaid? { if case .word(let said) = self { said } else { nil } }
    }

    /// Composes and writes a customer who is there; nothing for one who is not.
    /// - Parameter waiting: nil: what does not fit in is thrown.
    private func learn(
        of subject: SubjectNumber, by circumstances: WritingCircumstances? = nil, waiting: Waiting? = nil, _ session: SQLSession,
        _ body: (inout CustomerComposer) throws(FieldFault) -> Void
    ) throws {
        let change = try takeChange(session)
        // Behind what waits already: words hold in the order in which they were said.
        if let waiting, try isSetAside(subject, session) { return try setAside(subject, waiting.word, session) }
        do {
            guard let (known, key) = try standing(subject, session) else { return }
            var composer = CustomerComposer(
                known, reference: known.row.reference ?? 0,
                circumstances ?? WritingCircumstances(now: desk.nowMilliseconds, source: "system:node"))
            do throws(FieldFault) {
                try body(&composer)
            } catch {
                throw DeskFault.broken("customer \(subject): \(error.path): \(error.message)")
            }
            if composer.isChanged { _ = try write(composer, key, change: change, session) }
        } catch  where Customers.isOfOne(error) {
            guard let waiting else { throw error }
            try setAside(subject, waiting.word, session)
        }
    }

    /// Of this one customer: damaged, or without room for what is learnt. Before anything of it is written.
    private static func isOfOne(_ error: any Error) -> Bool {
        if case DeskFault.invalid = error { return true }
        return RowDamage.isOne(error)
    }
}
