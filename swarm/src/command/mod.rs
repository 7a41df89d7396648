//! What users ask for, as changes of the state.
