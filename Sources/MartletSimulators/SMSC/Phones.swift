import NIOCore
import SMPP

/// Phones that are not plainly on: what they hold back, and how it ends.
extension SMSCCore {
    func hold(_ plan: Plan, _ addresses: UnsafeRawBufferPointer, _ phone: UnsafeRawBufferPointer) {
        let held = PhoneBook.Held(plan: plan, addresses: Array(addresses))
        guard phones.hold(held, for: phone) else {
            // No room: the operator gives up on this one.
            return release(held, as: .undeliverable)
        }
        ring.set(.held, of: plan.n)
        due.push(at: now.milliseconds + Int64(behaviour.offExpireMs) + 1, octets: phone) { Due.expire(n: plan.n, phone: $0) }
    }

    func release(_ held: PhoneBook.Held, as state: ReceiptState?) {
        var plan = held.plan
        if let state { plan.state = state }
        if !plan.isTold, let state, plan.generation == generation { ring.set(MessageRing.Progress(state), of: plan.n) }
        if !plan.isTold, state != nil { return }
        held.addresses.withUnsafeBytes { end(plan, $0, preferring: nil) }
    }

    /// Switches a phone; false when too many phones are not plainly on.
    func setPhone(_ phone: String, _ mode: PhoneMode) -> Bool {
        now = Moment.now()
        guard let released = phones.set(mode, for: Array(phone.utf8)) else { return false }
        for held in released {
            var held = held
            if mode == .silent { held.plan.isTold = false }
            release(held, as: nil)
        }
        endBatch()
        return true
    }
}
