/// Elements and attributes of markup that are more than they look. All names in small letters.
enum MarkupNames {
    /// Attributes whose value is an address.
    static let addresses: Set<String> = [
        "action", "background", "cite", "classid", "code", "codebase", "data", "dynsrc", "formaction", "href", "icon", "longdesc", "lowsrc",
        "manifest", "poster", "profile", "src", "usemap",
    ]
    /// Those of them that lead where the customer goes, or nowhere; the others are loaded when the message is opened.
    static let followed: Set<String> = ["action", "cite", "formaction", "href", "longdesc", "profile", "usemap"]
    /// Elements whose `href` is a picture.
    static let pictures: Set<String> = ["image", "feimage", "use"]
    /// Attributes that hold a style.
    static let styles: Set<String> = [
        "style", "clip-path", "cursor", "fill", "filter", "marker", "marker-end", "marker-mid", "marker-start", "mask", "stroke",
    ]
    /// Of `<meta http-equiv>`, what leads nobody away.
    static let equivalents: Set<String> = ["content-type", "content-language", "x-ua-compatible"]

    /// Why an element is refused; nil: it is not.
    static func refusal(ofElement name: String) -> String? {
        switch name {
        case "script": "A text for customers has no scripts."
        case "base": "`<base>` would lead the addresses of the whole text elsewhere; each is written out."
        case "link": "`<link>` loads what may be another tomorrow; a style is written into `<style>`."
        case "animate", "animatecolor", "animatemotion", "animatetransform", "set":
            "`<\(name)>` changes attributes after they were checked, addresses too."
        case "foreignobject": "`<foreignObject>` puts other markup into a picture."
        case "applet", "embed", "frame", "frameset", "iframe", "object": "`<\(name)>` shows what somebody else writes."
        // Browsers read what stands in them as text, which it is not until its end is found elsewhere.
        case "noembed", "noframes", "noscript", "plaintext", "template", "textarea", "xmp":
            "`<\(name)>` is no part of a text for customers."
        default: nil
        }
    }

    /// Why an attribute is refused; nil: it is not.
    static func refusal(ofAttribute name: String) -> String? {
        if name.hasPrefix("on") && name.count > 2 || name == "srcdoc" {
            return "The attribute `\(name)` runs what is written in it; a text for customers has none of those."
        }
        switch name {
        case "srcset", "imagesrcset": return "The attribute `\(name)` names several pictures; a text for customers has one, in `src`."
        case "ping": return "The attribute `ping` tells others who followed a link."
        default: return nil
        }
    }
}
