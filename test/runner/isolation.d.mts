export declare const RUN_ALONE: ReadonlySet<string>
export declare function mustRunAlone(file: string): boolean
export declare function extendsTimers(file: string): boolean
