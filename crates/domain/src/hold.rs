//! Holds (gel): footage that is kept for an authority while its paper is on the way (law RET-06, K12).

use crate::named_enum;

named_enum! {
    /// Why a hold, or an hour of it, ends.
    HoldEnd,
    /// As certificates print it.
    title {
        /// No requisition was recorded: it ends with the footage's own deadline (CSI L252-5).
        Deadline = "terme des images, sans réquisition",
        /// The package under its requisition was handed over.
        Delivered = "remise prouvée",
        /// Nobody collected it in time.
        Uncollected = "délai de remise écoulé",
        /// The town refused its requisition.
        Refused = "réquisition refusée",
        /// A person of the town ended it.
        Lifted = "levée par la commune",
    }
}
