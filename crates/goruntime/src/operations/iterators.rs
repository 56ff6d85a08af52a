//! Iterators on stacks: who is in the body of a loop over a map is inside of an iteration too.

use panicle_report::MapOperation;

use super::{Known, Operation, iterator, iterator::Iterator, physical};
use crate::{frames::Stack, goroutine::G, maps, process::Process, value::Context};
use panicle_report::FrameKind;

/// Bytes of one frame that are looked through.
const MOST_OF_A_FRAME: u64 = 64 << 10;
/// Iterators of one goroutine.
const MOST_OF_A_STACK: usize = 64;

/// Adds the iterators in frames of `g` that stand at an entry. `inside` are the maps that it is in an operation
/// on, with the frames that asked for it: their iterators are in use by that operation.
pub(super) fn find(
    process: &Process<'_>,
    context: &Context<'_>,
    g: &G,
    stack: &Stack,
    inside: &[(u64, usize)],
    left: &mut u64,
    found: &mut Vec<Operation>,
) {
    let (Some(types), Some((size, type_at))) = (context.types, Iterator::layout(process)) else { return };
    let mut count = 0;
    for one in physical(&stack.frames, 0) {
        let Some(frame) = stack.frames.get(one.logical.0) else { continue };
        if frame.call().kind != FrameKind::Go || one.frame.fp <= one.frame.sp {
            continue;
        }
        let frame_size = (one.frame.fp - one.frame.sp).min(MOST_OF_A_FRAME).min(*left);
        *left -= frame_size;
        let mut seen = Vec::new();
        let Ok(bytes) = process.memory.bytes(one.frame.sp, frame_size, MOST_OF_A_FRAME) else { continue };
        let (words, _) = bytes.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            // Few words are addresses of types, so that is asked first.
            if types.offset(u64::from_le_bytes(*word)).is_none() {
                continue;
            }
            let Some(offset) = (index as u64 * 8).checked_sub(type_at) else { continue };
            if offset + size > frame_size {
                continue;
            }
            let address = one.frame.sp.wrapping_add(offset);
            let Some(iterator) = Iterator::read(process, address) else { continue };
            if !iterator::is_map_type(process, Some(types), iterator.map_type)
                || !maps::may_be_any(context, iterator.map)
                || !iterator.stands(process, address)
                || seen.contains(&iterator.map)
                || inside.contains(&(iterator.map, one.logical.0))
            {
                continue;
            }
            seen.push(iterator.map);
            count += 1;
            if count > MOST_OF_A_STACK {
                return;
            }
            found.push(Operation {
                goroutine: g.id,
                frame: one.logical.0,
                function: process.symbolizer.function_name(one.frame.pc).unwrap_or_default(),
                operation: MapOperation::Iterate,
                map: Some(iterator.map),
                map_type: Some(iterator.map_type),
                known: Known::Iterator,
                certain: false,
                noticed: false,
                panicked: false,
                caller: Some(one.logical.0),
                operand: None,
            });
        }
    }
}
