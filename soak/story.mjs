/**
 * What happens to the pool, in acts of some seconds; a longer soak tells it again. The first 15 s
 * hold a rotation, an outage, a removal and a restart.
 *
 * `sent: 'without unknown kids'`: no kid the servers do not have, so that nothing makes them fetch but
 * their own timer. Only then a removal proves that they refresh.
 */
export const acts = [
  { name: 'steady', seconds: 1 },
  {
    name: 'rotated, old key kept',
    seconds: 3.5,
    begin: (pool) => pool.rotate({ keepOld: true }),
  },
  { name: 'hang', seconds: 0.8, begin: (pool) => pool.fail('hang') },
  { name: 'refuse', seconds: 1, begin: (pool) => pool.fail('refuse') },
  { name: 'healed', seconds: 0.5, begin: (pool) => pool.heal() },
  {
    name: 'old keys removed',
    seconds: 5.2,
    sent: 'without unknown kids',
    begin: (pool) => pool.rotate({ keepOld: false }),
  },
  { name: 'restarted with new keys', seconds: 5, begin: (pool) => pool.restart() },
  { name: 'garbage', seconds: 1, begin: (pool) => pool.fail('garbage') },
  { name: 'truncated', seconds: 1, begin: (pool) => pool.fail('truncated') },
  {
    name: 'weak, rotated meanwhile',
    seconds: 1,
    begin: async (pool) => {
      await pool.fail('weak')
      pool.rotate({ keepOld: true })
    },
  },
  { name: 'empty', seconds: 1, begin: (pool) => pool.fail('empty') },
  { name: 'healed', seconds: 8, begin: (pool) => pool.heal() },
  { name: '500', seconds: 1.5, begin: (pool) => pool.fail('500') },
  {
    name: 'bomb, old keys removed',
    seconds: 1.5,
    begin: async (pool) => {
      await pool.fail('bomb')
      pool.rotate({ keepOld: false })
    },
  },
  { name: 'healed', seconds: 8, begin: (pool) => pool.heal() },
  {
    name: 'old keys removed',
    seconds: 6,
    sent: 'without unknown kids',
    begin: (pool) => pool.rotate({ keepOld: false }),
  },
  { name: 'refuse', seconds: 3, begin: (pool) => pool.fail('refuse') },
  { name: 'restarted with new keys', seconds: 10, begin: (pool) => pool.restart() },
]
