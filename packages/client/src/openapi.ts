// Made by `npm run docs` from packages/serve/src/http/schemas.ts.
export interface paths {
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics in the text format of Prometheus */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process answers */
        get: operations["livez"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether work is taken
         * @description The model is loaded and warm, and the service is not stopping.
         */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The page for people; for a terminal what this is and how to ask it */
        get: operations["home"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/page/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the page loads */
        get: operations["pagePart"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This reference as an OpenAPI 3.1 document */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This reference as a page */
        get: operations["reference"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs/errors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What each code of an error means */
        get: operations["errors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs/errors/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What one code of an error means */
        get: operations["error"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/classify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Names the flower in one or several images
         * @description Several images in one form are answered with a list, in order; each holds an answer or a problem. JPEG, PNG, WebP, AVIF, TIFF and GIF are told by their content.
         */
        post: operations["classify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Shows where the model looked in an image
         * @description For one image: how much each place of the plain view adds to the logit of a class (class activation mapping). A client that accepts image/png rather than application/json gets the picture as the model saw it, dark where it did not look, for the first label.
         */
        post: operations["explain"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the server is */
        get: operations["serverMetadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the server answers */
        get: operations["serverLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the default model is ready */
        get: operations["serverReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Inputs and outputs of a model */
        get: operations["modelMetadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{name}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Inputs and outputs of a model */
        get: operations["modelMetadataOfVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{name}/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether a model is loaded and warm */
        get: operations["modelReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{name}/versions/{version}/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether a model is loaded and warm */
        get: operations["modelReadyOfVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/index": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Models and versions that there are */
        post: operations["repositoryIndex"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/models/{name}/load": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Loads and warms a model */
        post: operations["loadModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/models/{name}/unload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Frees a model after its last answer */
        post: operations["unloadModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{name}/infer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Runs a model
         * @description Tensors are JSON, or bytes after the JSON (binary_data_size of an input, binary_data of an output). The input pixel_values gives logits; the input image, the bytes of image files, gives calibrated probabilities.
         */
        post: operations["infer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{name}/versions/{version}/infer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Runs a model
         * @description Tensors are JSON, or bytes after the JSON (binary_data_size of an input, binary_data of an output). The input pixel_values gives logits; the input image, the bytes of image files, gives calibrated probabilities.
         */
        post: operations["inferOfVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Prediction: {
            label: string;
            /** @description Index of the class in the output of the model. */
            index: number;
            /** @description Probability of the class; calibrated where the answer says so. */
            score: number;
        };
        /** @description What one view said. */
        ViewAnswer: {
            /** @enum {string} */
            flip: "none" | "horizontal" | "vertical";
            scale: number;
            label: string;
            /** @description Index of the class in the output of the model. */
            index: number;
            score: number;
        };
        ClassifyAnswer: {
            model: {
                name: string;
                version: number;
            };
            /** @description Best first. */
            predictions: components["schemas"]["Prediction"][];
            /** @description Whether scores are calibrated: of pictures of the classes that are answered with 0.9, nine in ten are right. False: the model had too few photos to fit and measure that. */
            calibrated: boolean;
            /** @description Conformal set: labels that together hold the true one with the fitted coverage, if the picture is known. Null: not fitted. */
            set: string[] | null;
            /** @description Probability that the picture shows one of the classes at all, at even odds; read from the plain view. Null: not fitted. */
            known: number | null;
            /**
             * @description How far to rely on it. `none`: refused, it is like none of the classes; `sure`: known, and the set has one label; `perhaps`: the rest, and all of a model that has not fitted both.
             * @enum {string}
             */
            level: "none" | "sure" | "perhaps";
            /** @description Where level is `perhaps`: the group of sorts, as `names.csv` of the model gives them, whose labels together reach what a set must hold. */
            group: string | null;
            /** @description Whether level is `none`. */
            abstain: boolean;
            /** @description Views that the answer is made of. */
            views: {
                used: number;
                of: number;
                /** @enum {string} */
                policy: "full" | "exact" | "fast" | "none";
            };
            /** @description With details=true. */
            details?: {
                /** @description The best class of each view that was used, in order. */
                views: components["schemas"]["ViewAnswer"][];
                /** @description Share of pictures whose true label is in the set; null: the model has no sets. */
                coverage: number | null;
            };
            /** @description Milliseconds; total runs from the headers of the request. */
            timings: {
                decode: number;
                queue: number;
                infer: number;
                total: number;
            };
        };
        ExplainAnswer: {
            model: {
                name: string;
                version: number;
            };
            /** @description The model saw the middle square whose side is this share of the shortest edge of the upright image. */
            crop: number;
            /** @description Rows of a map. */
            height: number;
            /** @description Columns of a map. */
            width: number;
            /** @description One for each label that was asked for, in order. */
            maps: {
                label: string;
                index: number;
                logit: number;
                /** @description Row by row over that square: what each place adds to the logit. They sum to it, less a constant of the class. */
                values: number[];
            }[];
            /** @description Milliseconds; total runs from the headers of the request. */
            timings: {
                decode: number;
                queue: number;
                infer: number;
                total: number;
            };
        };
        Problem: {
            /** @description Page that describes the code, relative to the service. */
            type: string;
            title: string;
            status: number;
            detail: string;
            /** @enum {string} */
            code: "IMAGE_EMPTY" | "IMAGE_UNSUPPORTED" | "IMAGE_TOO_LARGE" | "IMAGE_BROKEN" | "IMAGE_SLOW" | "MODEL_MISSING" | "MODEL_MANIFEST" | "MODEL_FORMAT" | "MODEL_TAMPERED" | "MODEL_NAMES" | "MODEL_OUTPUT" | "INTERNAL" | "MODEL_UNLOADED" | "MODEL_IN_USE" | "MODEL_WITHOUT_MAPS" | "MODEL_MEMORY" | "SERVICE_MALFORMED" | "SERVICE_PARAMETER" | "SERVICE_TENSOR" | "SERVICE_UNAUTHORIZED" | "SERVICE_FORBIDDEN" | "SERVICE_NO_IMAGE" | "SERVICE_NOT_FOUND" | "SERVICE_METHOD" | "SERVICE_SLOW_REQUEST" | "SERVICE_TOO_LARGE" | "SERVICE_MEDIA_TYPE" | "SERVICE_RATE_LIMITED" | "SERVICE_HEADERS_TOO_LARGE" | "SERVICE_NOT_READY" | "SERVICE_OVERLOADED" | "SERVICE_DEADLINE_SHORT" | "SERVICE_WORKER_LOST" | "SERVICE_TOO_LATE";
        };
        ClassifyAnswers: {
            /** @description An answer or a problem for each image, in order. */
            results: (components["schemas"]["ClassifyAnswer"] | components["schemas"]["Problem"])[];
        };
        HealthStatus: {
            /** @enum {string} */
            status: "alive" | "ready";
        };
        InferInput: {
            name: string;
            shape: number[];
            /** @description FP32 for pixel_values, BYTES for image. */
            datatype: string;
            parameters?: {
                /** @description Bytes after the JSON. */
                binary_data_size?: number;
            } & {
                [key: string]: unknown;
            };
            /** @description Row-major, flat or nested. An image is base64. */
            data?: unknown[];
        };
        RequestedOutput: {
            name: string;
            parameters?: {
                /** @description The best k as "value:index:label" instead. */
                classification?: number;
                binary_data?: boolean;
            } & {
                [key: string]: unknown;
            };
        };
        InferRequest: {
            id?: string;
            parameters?: {
                /** @description Answer with binary tensors where an output does not say. */
                binary_data_output?: boolean;
                /**
                 * @description Views of an image that are asked.
                 * @enum {string}
                 */
                tta?: "full" | "exact" | "fast" | "none";
            } & {
                [key: string]: unknown;
            };
            /** @description One: pixel_values or image. */
            inputs: components["schemas"]["InferInput"][];
            /** @description Each once; without it all. */
            outputs?: components["schemas"]["RequestedOutput"][];
        };
        InferOutput: {
            name: string;
            /** @enum {string} */
            datatype: "FP32" | "BYTES";
            shape: number[];
            parameters?: {
                [key: string]: string | number | boolean;
            };
            data?: (number | string)[];
        };
        InferResponse: {
            model_name: string;
            model_version: string;
            id?: string;
            outputs: components["schemas"]["InferOutput"][];
        };
        ProtocolError: {
            error: string;
        };
        ServerMetadata: {
            name: string;
            version: string;
            extensions: string[];
        };
        TensorMetadata: {
            name: string;
            /** @enum {string} */
            datatype: "FP32" | "BYTES";
            /** @description -1: any length. */
            shape: number[];
        };
        ModelMetadata: {
            name: string;
            versions: string[];
            platform: string;
            /** @description A request has one of them. */
            inputs: components["schemas"]["TensorMetadata"][];
            /** @description logits belongs to pixel_values, probabilities to image, and known, where there is one, to both: the network's own value for pixel_values; for an image the probability that it shows one of the classes, where that is calibrated. */
            outputs: components["schemas"]["TensorMetadata"][];
        };
        ServerLive: {
            live: boolean;
        };
        ServerReady: {
            ready: boolean;
        };
        ModelReady: {
            name: string;
            ready: boolean;
        };
        RepositoryIndexRequest: {
            /** @description Only models that are ready. */
            ready?: boolean;
        };
        RepositoryIndex: {
            name: string;
            version: string;
            /** @enum {string} */
            state: "READY" | "UNAVAILABLE";
            reason: string;
        }[];
        RepositoryRequest: {
            /** @description A model is as its folder says: its configuration cannot be changed here. */
            parameters?: {
                unload_dependents?: boolean;
            };
        };
        Empty: Record<string, never>;
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                    "application/openmetrics-text": string;
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    livez: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthStatus"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthStatus"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    home: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                    "text/plain": string;
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pagePart: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of a file of the page. */
                file: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/css": string;
                    "text/javascript": string;
                    "image/svg+xml": string;
                    "image/webp": unknown;
                };
            };
            /** @description Not Found: SERVICE_NOT_FOUND. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reference: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    errors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                    "text/plain": string;
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    error: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Code of an error. */
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                    "text/plain": string;
                };
            };
            /** @description Not Found: SERVICE_NOT_FOUND. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    classify: {
        parameters: {
            query?: {
                /** @description Name of the model; without it the default. */
                model?: string;
                /** @description Views of the image that are asked; without it the policy of the service. */
                tta?: "full" | "exact" | "fast" | "none";
                /** @description Predictions that are answered, at most. */
                top_k?: number;
                /** @description Whether fewer views may be asked when the answer would be too late, or others wait; views.policy says what was. Without it only where tta is not given. */
                allow_step_down?: boolean;
                /** @description Also tell what each view said. */
                details?: boolean;
            };
            header?: {
                /** @description Milliseconds after which the answer is of no use: a later one is 504. */
                "X-Request-Timeout-Ms"?: number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    img: string[];
                };
                "image/*": unknown;
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClassifyAnswer"] | components["schemas"]["ClassifyAnswers"];
                };
            };
            /** @description Bad Request: SERVICE_MALFORMED, SERVICE_PARAMETER, SERVICE_NO_IMAGE, IMAGE_EMPTY. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found: MODEL_MISSING, MODEL_UNLOADED. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout: SERVICE_SLOW_REQUEST. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Payload Too Large: SERVICE_TOO_LARGE, IMAGE_TOO_LARGE. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type: SERVICE_MEDIA_TYPE, IMAGE_UNSUPPORTED. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity: IMAGE_BROKEN, IMAGE_SLOW. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY, SERVICE_OVERLOADED, SERVICE_DEADLINE_SHORT, SERVICE_WORKER_LOST. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Gateway Timeout: SERVICE_TOO_LATE. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    explain: {
        parameters: {
            query?: {
                /** @description Name of the model; without it the default. */
                model?: string;
                /** @description Class to explain, once or several times; without it the best. */
                label?: string[];
            };
            header?: {
                /** @description Milliseconds after which the answer is of no use: a later one is 504. */
                "X-Request-Timeout-Ms"?: number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    img: string[];
                };
                "image/*": unknown;
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExplainAnswer"];
                    "image/png": unknown;
                };
            };
            /** @description Bad Request: SERVICE_MALFORMED, SERVICE_PARAMETER, SERVICE_NO_IMAGE, IMAGE_EMPTY. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found: MODEL_MISSING, MODEL_UNLOADED, MODEL_WITHOUT_MAPS. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Timeout: SERVICE_SLOW_REQUEST. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Payload Too Large: SERVICE_TOO_LARGE, IMAGE_TOO_LARGE. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type: SERVICE_MEDIA_TYPE, IMAGE_UNSUPPORTED. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity: IMAGE_BROKEN, IMAGE_SLOW. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY, SERVICE_OVERLOADED, SERVICE_DEADLINE_SHORT, SERVICE_WORKER_LOST. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Gateway Timeout: SERVICE_TOO_LATE. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    serverMetadata: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServerMetadata"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    serverLive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServerLive"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    serverReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServerReady"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    modelMetadata: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the model. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelMetadata"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Not Found: MODEL_MISSING, MODEL_UNLOADED. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    modelMetadataOfVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the model. */
                name: string;
                /** @description Version of the model. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelMetadata"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Not Found: MODEL_MISSING, MODEL_UNLOADED. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    modelReady: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the model. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelReady"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Not Found: MODEL_MISSING, MODEL_UNLOADED. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    modelReadyOfVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the model. */
                name: string;
                /** @description Version of the model. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelReady"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Not Found: MODEL_MISSING, MODEL_UNLOADED. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    repositoryIndex: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RepositoryIndexRequest"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RepositoryIndex"];
                };
            };
            /** @description Bad Request: SERVICE_MALFORMED. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Payload Too Large: SERVICE_TOO_LARGE. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    loadModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the model. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RepositoryRequest"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Empty"];
                };
            };
            /** @description Bad Request: SERVICE_MALFORMED. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Forbidden: SERVICE_FORBIDDEN. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Not Found: MODEL_MISSING. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Payload Too Large: SERVICE_TOO_LARGE. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    unloadModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the model. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RepositoryRequest"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Empty"];
                };
            };
            /** @description Bad Request: SERVICE_MALFORMED. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Forbidden: SERVICE_FORBIDDEN. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Not Found: MODEL_MISSING. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Conflict: MODEL_IN_USE. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Payload Too Large: SERVICE_TOO_LARGE. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    infer: {
        parameters: {
            query?: never;
            header?: {
                /** @description Milliseconds after which the answer is of no use: a later one is 504. */
                "X-Request-Timeout-Ms"?: number;
                /** @description Bytes of the JSON in the body; the binary tensors follow. 0: the body is one image. */
                "Inference-Header-Content-Length"?: number;
            };
            path: {
                /** @description Name of the model. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InferRequest"];
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferResponse"];
                    "application/octet-stream": unknown;
                };
            };
            /** @description Bad Request: SERVICE_TENSOR, SERVICE_PARAMETER, IMAGE_EMPTY. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Not Found: MODEL_MISSING, MODEL_UNLOADED. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Request Timeout: SERVICE_SLOW_REQUEST. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Payload Too Large: SERVICE_TOO_LARGE, IMAGE_TOO_LARGE. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Unsupported Media Type: SERVICE_MEDIA_TYPE, IMAGE_UNSUPPORTED. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Unprocessable Entity: IMAGE_BROKEN, IMAGE_SLOW. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY, SERVICE_OVERLOADED, SERVICE_DEADLINE_SHORT, SERVICE_WORKER_LOST. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Gateway Timeout: SERVICE_TOO_LATE. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
    inferOfVersion: {
        parameters: {
            query?: never;
            header?: {
                /** @description Milliseconds after which the answer is of no use: a later one is 504. */
                "X-Request-Timeout-Ms"?: number;
                /** @description Bytes of the JSON in the body; the binary tensors follow. 0: the body is one image. */
                "Inference-Header-Content-Length"?: number;
            };
            path: {
                /** @description Name of the model. */
                name: string;
                /** @description Version of the model. */
                version: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InferRequest"];
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    /** @description That of the request, or a new one. */
                    "X-Request-Id"?: string;
                    /** @description Milliseconds of each stage. */
                    "Server-Timing"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferResponse"];
                    "application/octet-stream": unknown;
                };
            };
            /** @description Bad Request: SERVICE_TENSOR, SERVICE_PARAMETER, IMAGE_EMPTY. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Unauthorized: SERVICE_UNAUTHORIZED. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Not Found: MODEL_MISSING, MODEL_UNLOADED. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Request Timeout: SERVICE_SLOW_REQUEST. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Payload Too Large: SERVICE_TOO_LARGE, IMAGE_TOO_LARGE. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Unsupported Media Type: SERVICE_MEDIA_TYPE, IMAGE_UNSUPPORTED. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Unprocessable Entity: IMAGE_BROKEN, IMAGE_SLOW. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Too Many Requests: SERVICE_RATE_LIMITED. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Internal Server Error: INTERNAL. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Service Unavailable: SERVICE_NOT_READY, SERVICE_OVERLOADED, SERVICE_DEADLINE_SHORT, SERVICE_WORKER_LOST. */
            503: {
                headers: {
                    /** @description Seconds to wait. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
            /** @description Gateway Timeout: SERVICE_TOO_LATE. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProtocolError"];
                };
            };
        };
    };
}
