export const reasons = []
